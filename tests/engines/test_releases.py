"""Other releases of both Prefects: a smoke part of the portfolio is green on them, and planted bugs are found.

The newest ones are what every other test runs on. Releases resolve to what was current then (``exclude-newer``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.planted import PLANTED, apply

pytestmark = pytest.mark.engines

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ("g03_final_state", "g05_output", "g09_skips", "g10_conditionals", "g12_mapping")
BUGS = ("dict-of-futures", "skip-not-propagated", "letters-swapped", "children-reversed")
RELEASES = (("0.15.13", "2022-06-01", "2.8.7", "2023-03-30"), ("1.4.1", "2023-06-01", "2.14.21", "2024-02-10"))


@pytest.mark.parametrize(("v1", "v1_day", "v2", "v2_day"), RELEASES, ids=lambda text: text)
def test_a_release_is_traced_as_the_newest(
    make_project: Callable[[str], Project], v1: str, v1_day: str, v2: str, v2_day: str
) -> None:
    """Equal pairs are equivalent, and each planted bug is found with its kind."""
    project = make_project("release")
    project.configure(
        f"""
        [tool.equivalence]
        examples = 10
        shrink = 3

        [tool.equivalence.v1]
        requirements = ["prefect=={v1}"]
        exclude-newer = "{v1_day}"
        python = "3.9"

        [tool.equivalence.v2]
        requirements = ["prefect=={v2}"]
        exclude-newer = "{v2_day}"
        python = "3.9"
        """
    )
    for name in SMOKE:
        for side in ("flows_v1", "flows_v2"):
            project.write({f"{side}/{name}.py": (ROOT / side / f"{name}.py").read_text(encoding="utf-8")})
    bugs = {bug.name.replace("-", "_"): bug for bug in PLANTED if bug.name in BUGS}
    for name, bug in bugs.items():
        for side in ("flows_v1", "flows_v2"):
            source = (ROOT / side / f"{bug.stem}.py").read_text(encoding="utf-8")
            planted = apply(bug, source) if bug.file == f"{side}/{bug.stem}.py" else source
            project.write({f"{side}/{name}.py": planted})
    run = project.run()
    assert {name: run.verdicts[name] for name in SMOKE} == dict.fromkeys(SMOKE, "equivalent"), run.printed
    found = {name: {finding["kind"] for finding in run.pair(name)["findings"]} for name in bugs}
    assert all(bug.kind in found[name] for name, bug in bugs.items()), found
    assert run.report is not None
    assert [run.report["environments"][side]["prefect"] for side in ("v1", "v2")] == [v1, v2]
