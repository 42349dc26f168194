"""Rules for parameters: G01, G02, G25."""

from __future__ import annotations

from equivalence import vocabulary
from equivalence.catalogue.rule import Evidence, Rule


def _check_lost(evidence: Evidence) -> bool:
    """A first task of the old flow failed on what it was given, and its counterpart took the same."""
    made = {run.run for run in evidence.v1.tasks if run.engine_made is not None}
    return evidence.difference.kind in ("final-state", "task-state") and any(
        match.v1 is not None
        and match.v2 is not None
        and vocabulary.kind_of_task(match.v1) == vocabulary.FAILED
        and vocabulary.kind_of_task(match.v2) == vocabulary.COMPLETED
        and set(match.v1.upstream) <= made
        for match in evidence.comparison.matches
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "parameter-validation",
        "G25",
        "Prefect 2 validates parameters",
        "Prefect 2 checks parameters against the annotations of the flow function with pydantic before anything "
        "runs; Prefect 1 checks nothing.",
        "Widen the annotation (`Optional[int]`, `Union[int, float]`), or use `@flow(validate_parameters=False)`.",
        "Prefect 2 docs: Flows, Parameters",
        lambda evidence: evidence.difference.kind == "parameter" and "refused" in evidence.difference.v2,
    ),
    Rule(
        "parameter-default",
        "G02",
        "A parameter's default changed",
        "The defaults of the Prefect 1 Parameter and of the Prefect 2 argument differ, so a run without it differs.",
        "Give the argument the Parameter's default: `def flow(limit: int = 100)`.",
        "Prefect 2 docs: Flows, Parameters",
        lambda evidence: evidence.difference.kind == "parameter" and evidence.difference.path.endswith(".default"),
    ),
    Rule(
        "validation-lost",
        "G25",
        "What a task refused is not refused any more",
        "The first task of the Prefect 1 flow failed on these parameters; the Prefect 2 task takes them, and no "
        "annotation of the flow function refuses them in its place.",
        "Constrain the parameter, `percent: Annotated[int, Field(ge=0, le=100)]`, or keep the check in the task.",
        "Prefect 2 docs: Flows, Parameters",
        _check_lost,
    ),
)
