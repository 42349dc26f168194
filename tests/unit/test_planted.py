"""The planted bugs themselves: each edit fits its portfolio file, and together they use every kind."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.planted import PLANTED, PlantedBug, apply

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "final-state",
    "result",
    "exception",
    "task-state",
    "task-result",
    "task-missing",
    "task-extra",
    "retry-count",
    "retry-delay",
    "parameter",
    "order",
    "log",
    "effect",
    "schedule",
    "contract",
}


def source_of(bug: PlantedBug) -> str:
    """Read the portfolio file that the bug edits."""
    return (ROOT / bug.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_edit_applies_and_compiles(bug: PlantedBug) -> None:
    """Every edit applies, changes more than the layout, and leaves a file that compiles."""
    before = source_of(bug)
    after = apply(bug, before)
    assert after != before
    if bug.file.endswith(".py"):
        compile(after, bug.file, "exec")
        assert ast.dump(ast.parse(after)) != ast.dump(ast.parse(before))


@pytest.mark.parametrize("times", [0, 2])
def test_apply_refuses_a_place_that_is_not_unique(times: int) -> None:
    """A text that is missing, or there twice, is refused with the bug's name and the count."""
    bug = PLANTED[0]
    with pytest.raises(ValueError, match=rf"{bug.name}.*found it {times} times"):
        apply(bug, bug.old * times)


def test_names_are_unique() -> None:
    """A bug is told by its name alone."""
    names = [bug.name for bug in PLANTED]
    assert len(set(names)) == len(names)


def test_every_kind_is_planted() -> None:
    """Each kind of difference that a run can show has a bug, and no other kind is claimed."""
    assert {bug.kind for bug in PLANTED} == KINDS


def test_there_are_enough_bugs() -> None:
    """At least two dozen bugs over at least eight files keep the proof broad."""
    assert len(PLANTED) >= 24
    assert len({bug.file for bug in PLANTED}) >= 8


@pytest.mark.parametrize("bug", [bug for bug in PLANTED if bug.task is not None], ids=lambda bug: bug.name)
def test_named_task_exists(bug: PlantedBug) -> None:
    """The task a bug points to is a task of the file it edits, or the one the edit adds."""
    assert bug.task is not None
    name = bug.task.partition(".")[0]
    sources = source_of(bug) + (ROOT / f"flows_v1/{bug.stem}.py").read_text(encoding="utf-8")
    assert any(written in sources for written in (f"def {name}(", f"class {name}", f'"{name}"')) or name in bug.new


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_why_says_what_reveals_it(bug: PlantedBug) -> None:
    """Every bug names the parameters that make it visible."""
    assert "Revealed " in bug.why
