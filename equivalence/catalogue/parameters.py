"""Rules for parameters: G01, G02, G25."""

from __future__ import annotations

from equivalence.catalogue.rule import Rule, note_has

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
        note_has("default", "parameter"),
    ),
)
