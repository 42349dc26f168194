"""What a worker says of a flow before it runs, as frozen data: parameters with types, tasks, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from equivalence.inside import values

Tree: TypeAlias = Any
"""A value as `inside.values` encodes it: JSON data."""

TypeDescription: TypeAlias = Mapping[str, Any]
"""A type as `inside.signatures` describes it: JSON data with the key `type`."""

ANY: TypeDescription = {"type": "any"}

_VARIADIC = ("var_positional", "var_keyword")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a flow. `like` is the type of values like its default, `type` what is declared.

    A Prefect 1 parameter with a default can be required all the same: the default is then never used.
    """

    name: str
    required: bool
    default: Tree | None = None
    has_default: bool = False
    type: TypeDescription = field(default_factory=lambda: ANY)
    datetime_parameter: bool = False
    like: TypeDescription = field(default_factory=lambda: ANY)
    kind: str = "positional_or_keyword"
    default_digest: str | None = None
    default_opaques: int = 0
    default_shared: Mapping[str, Tree] = field(default_factory=dict)

    @property
    def variadic(self) -> bool:
        """Whether this is `*args` or `**kwargs`, which take no value under their own name."""
        return self.kind in _VARIADIC

    @property
    def usable_default(self) -> bool:
        """Whether a run without this parameter gets the default."""
        return self.has_default and not self.required

    def default_value(self) -> Any:
        """The default as a Python object of its own. Raises ValueError when it is no plain data."""
        if not self.has_default:
            raise ValueError(f"{self.name} has no default")
        return values.decode(self.default, dict(self.default_shared))

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Parameter:
        """From one entry of a worker's `parameters`."""
        envelope = message.get("default") if message["has_default"] else None
        envelope = envelope or {}
        return cls(
            name=message["name"],
            required=message["required"],
            default=envelope.get("root"),
            has_default=message["has_default"],
            type=message["type"],
            datetime_parameter=bool(message.get("datetime_parameter", False)),
            like=message.get("like", ANY),
            kind=message.get("kind", "positional_or_keyword"),
            default_digest=envelope.get("digest"),
            default_opaques=int(envelope.get("opaques", 0)),
            default_shared=envelope.get("shared") or {},
        )


@dataclass(frozen=True, slots=True)
class FlowDescription:
    """One flow of one side. `variable` is its name in the file, None without one; `line` counts from 1.

    `declared` holds what no run shows: `schedule` and `run_config` in v1, `deployments` in v2.
    """

    file: str
    variable: str | None
    name: str
    kind: str = "flow"
    line: int = 0
    parameters: tuple[Parameter, ...] = ()
    tasks: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    declared: Mapping[str, Any] = field(default_factory=dict)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that very name, None when there is none."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    @classmethod
    def from_message(
        cls, message: Mapping[str, Any], file: str | None = None, notes: Sequence[str] = ()
    ) -> FlowDescription:
        """From one of the `flows` a worker answers to `describe`; `notes` are those of the whole file."""
        return cls(
            file=file if file is not None else str(message.get("file", "")),
            variable=message.get("variable"),
            name=message["name"],
            kind=message.get("kind", "flow"),
            line=int(message.get("line") or 0),
            parameters=tuple(Parameter.from_message(entry) for entry in message["parameters"]),
            tasks=tuple(message.get("tasks", ())),
            settings=dict(message.get("settings", {})),
            notes=(*notes, *message.get("notes", ())),
            declared=dict(message.get("declared", {})),
        )
