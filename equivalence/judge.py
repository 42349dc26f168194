"""From differences to findings: which are one and the same, which are noise, which stand.

A finding is a difference with an identity (pair, kind, aligned path), its smallest case, and what became of it when
that case ran again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from equivalence.cases import Case
from equivalence.compare.states import Difference
from equivalence.compare.traces import Comparison

_INDEX = re.compile(r"\[-?\d+\]|#\d+")


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What makes two differences the same finding: kind, and path without indexes."""

    kind: str
    path: str

    @classmethod
    def of(cls, difference: Difference) -> Identity:
        """``tasks.load[3].result[17].total`` and ``tasks.load[0].result[2].total`` are one."""
        return cls(
            difference.kind, _INDEX.sub(lambda found: "[*]" if found[0].startswith("[") else "", difference.path)
        )

    def id(self, pair: str) -> str:
        """A short name that stays the same from run to run: the pair and four hexadecimal digits."""
        digest = hashlib.blake2b(f"{self.kind} {self.path}".encode(), digest_size=2).hexdigest()
        return f"{pair}-{digest}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference that was found, with the smallest case seen for it.

    ``follows`` is the id of another finding of the same pair: this one was only ever seen together with it, further
    down the flow. ``confirmed`` says that the case showed it again when it was run twice more.
    ``flow_run`` is the name of the Prefect 2 flow run that was kept of it.
    """

    id: str
    difference: Difference
    case: Case
    rule: str | None = None
    shrunk: bool = False
    confirmed: bool = False
    follows: str | None = None
    first_task: str | None = None
    also: tuple[str, ...] = ()
    flow_run: str | None = None
    lines: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """Its identity within the pair."""
        return Identity.of(self.difference)


@dataclass(frozen=True, slots=True)
class Noise:
    """A path at which the old flow disagrees with itself, or a difference that did not come again."""

    path: str
    kind: str
    reason: str


def identities(comparison: Comparison) -> dict[Identity, Difference]:
    """The differences of one comparison by identity, the first of each."""
    found: dict[Identity, Difference] = {}
    for difference in comparison.differences:
        found.setdefault(Identity.of(difference), difference)
    return found


def primary(comparison: Comparison) -> Identity | None:
    """Where two traces first disagree in the order of the flow: at a task before at the flow itself."""
    shown = [difference for difference in comparison.differences if difference.kind != "contract"]
    shown = shown or list(comparison.differences)  # what is declared comes behind what was seen
    at_task = [difference for difference in shown if difference.task is not None]
    chosen = next(iter(at_task or shown), None)
    return None if chosen is None else Identity.of(chosen)


def size(case: Case) -> tuple[int, int, float, int, str]:
    """An order of cases by how much a reader has to take in."""
    given = len(case.parameters) + sum(len(again.changed) for again in case.again)
    return len(case.again), given, sum(again.after for again in case.again), len(case.show()), case.show()


def judge(
    finding: Finding,
    again: Iterable[Comparison],
    old_with_itself: Comparison,
    new_with_itself: Comparison,
) -> Finding | Noise:
    """What becomes of a finding whose case was run twice more on both sides.

    =============================  ====================  =====================
    v1 differs from itself there   seen in every run     outcome
    =============================  ====================  =====================
    yes                            any                   noise
    no                             yes                   finding, confirmed
    no                             no, v2 is unstable    finding, not confirmed: the new flow disagrees with itself
    no                             no, both are stable   noise: it did not come again
    =============================  ====================  =====================
    """
    identity = finding.identity
    if _touches(identity, old_with_itself):
        return Noise(identity.path, identity.kind, "the old flow disagrees with itself there")
    if all(identity in identities(comparison) for comparison in again):
        return replace(finding, confirmed=True)
    if _touches(identity, new_with_itself):
        note = "the new flow disagrees with itself there, the old one does not"
        return replace(finding, difference=replace(finding.difference, note=note))
    return Noise(identity.path, identity.kind, "it did not come again when the case was run twice more")


def _touches(identity: Identity, comparison: Comparison) -> bool:
    """Whether a run's disagreement with itself lies at, above or below the path."""
    paths = [other.path for other in identities(comparison)]
    return any(_within(identity.path, path) or _within(path, identity.path) for path in paths)


def _within(path: str, above: str) -> bool:
    """Whether a path is another one, or a place inside it."""
    return path == above or (path.startswith(above) and path[len(above)] in ".[")
