"""Which value of one flow answers to which of the other: Prefect 1 flows return nothing, their terminal tasks do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from equivalence.compare.align import fold
from equivalence.compare.tree import Tree, Value, opaque_inside, signature
from equivalence.trace import Output, Trace


@dataclass(frozen=True, slots=True)
class OutputMatch:
    """Two values to compare; ``suffix`` is their path below ``result``."""

    v1: Value
    v2: Value
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Uncomparable:
    """Outputs that could not be compared, and what to write so that they can."""

    why: str


def match_outputs(
    v1: Trace, v2: Trace, output_v1: str | None, output_v2: str | None
) -> Iterable[OutputMatch | Uncomparable]:
    """Match the output of the old flow with that of the new one.

    ==========================  ====================================  ===========================================
    v1 terminal tasks           v2 return value                       compared
    ==========================  ====================================  ===========================================
    (both traces of one side)                                         each with its own
    none                        anything                              nothing, and said
    any                         nothing returned                      the tasks only, and said
    one                         a value                               that task's result with the value
    several                     a dict with those names as keys       each by name; what only one side has is said
    several                     a list or tuple of as many            each in the order of the old flow
    several, one not None       a value                               the one that is not None
    several                     a value                               nothing, and said
    reference tasks were set    fits these, or the terminal ones      what agrees, else the reference tasks
    ==========================  ====================================  ===========================================

    ``output`` of the pair's table picks another task on either side.
    """
    old = v1.outputs
    if v1.side == v2.side:
        pairs = zip(old, v2.outputs, strict=False)
        return [OutputMatch(a.value, b.value, "" if len(old) == 1 else f".{a.name}") for a, b in pairs]
    new = _chosen(v2, output_v2)
    if not old:
        what = f"no task {output_v1[5:]!r} ended" if output_v1 else "the v1 flow has no terminal task that ended"
        return [Uncomparable(f"result: {what}; the tasks were compared")]
    if new is None:
        if v2.returned_nothing and all(_is_none(output.value) for output in old):
            return []
        what = f"the task {output_v2[5:]!r} gave no result in v2" if output_v2 else "the v2 flow returns nothing"
        return [Uncomparable(f"result: {what}; the tasks were compared")]
    terminal = [output for output in old if output.terminal]
    references = [output for output in old if output.reference]
    found = [_several(outputs, new) for outputs in (references, terminal) if outputs]
    if len(found) == 1 or references == terminal:
        return found[-1]
    # Reference tasks that were set decide the final state: a Prefect 2 flow returns them, or the last value.
    return next((matches for test in (_agree, _comparable) for matches in found if test(matches)), found[-1])


def _comparable(matches: Sequence[OutputMatch | Uncomparable]) -> bool:
    return any(isinstance(match, OutputMatch) for match in matches)


def _agree(matches: Sequence[OutputMatch | Uncomparable]) -> bool:
    return _comparable(matches) and all(
        isinstance(match, OutputMatch) and match.v1.digest == match.v2.digest for match in matches
    )


def _several(old: Sequence[Output], new: Value) -> Sequence[OutputMatch | Uncomparable]:
    if len(old) == 1:
        return [OutputMatch(old[0].value, new)]
    members = _members(new)
    if isinstance(members, dict):
        keys = {fold(key): key for key in members}
        names = {fold(output.name): output for output in old}
        told_apart = len(names) == len(old) and len(keys) == len(members)
        if keys and told_apart and (keys.keys() <= names.keys() or names.keys() <= keys.keys()):
            matches: list[OutputMatch | Uncomparable] = [
                OutputMatch(output.value, members[keys[name]], f".{output.name}")
                for name, output in names.items()
                if name in keys
            ]
            alone = [(f"result.{key}", "v2") for name, key in keys.items() if name not in names]
            alone += [
                (f"result.{output.name}", "v1")
                for name, output in names.items()
                if name not in keys and not _is_none(output.value)
            ]
            return matches + [Uncomparable(f"{path}: only {side} gives it") for path, side in alone]
    elif isinstance(members, list) and len(members) == len(old):
        return [
            OutputMatch(output.value, member, f"[{index}]")
            for index, (output, member) in enumerate(zip(old, members, strict=True))
        ]
    speaking = [output for output in old if not _is_none(output.value)]
    if len(speaking) == 1:
        return [OutputMatch(speaking[0].value, new)]
    listed = ", ".join(output.name for output in old)
    return [
        Uncomparable(
            f"result: the v1 flow ends in {len(old)} tasks ({listed}), and what the v2 flow returns is no dict of "
            'those names and no list of as many; say which one with output = { v1 = "task:…" } in the pair\'s table'
        )
    ]


def _chosen(trace: Trace, output: str | None) -> Value | None:
    if output is not None and output.startswith("task:"):
        runs = [run for run in trace.user_tasks if run.key.name == output[5:] and run.result is not None]
        return runs[-1].result if runs else None
    return trace.outputs[0].value if trace.outputs else None


def _is_none(value: Value) -> bool:
    return value.at is None and value.root() is None


def _members(value: Value) -> dict[str, Value] | list[Value] | None:
    """The direct members of a dict with text keys, or of a list or tuple, as values of their own."""
    tree, shared = value.both()

    def member(child: Tree) -> Value:
        return Value(
            digest=signature(child),
            nodes=1,
            opaques=int(opaque_inside(child)),
            data={"root": child, "shared": shared},
            load=value.load,
        )

    if not isinstance(tree, dict):
        return None
    if tree["t"] == "dict" and "v" in tree:
        return {key: member(child) for key, child in tree["v"].items()}
    if tree["t"] in ("list", "tuple"):
        return [member(child) for child in tree["v"]]
    return None
