"""Two signatures side by side: the parameters both flows have, what both accept, and where they disagree."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from equivalence import domains
from equivalence.config import PairSettings
from equivalence.descriptions import FlowDescription, Parameter, TypeDescription
from equivalence.errors import UsageProblem

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ParameterDifference:
    """A way in which the signatures disagree, kind `parameter` in the report. v1, v2 are display texts."""

    path: str
    v1: str
    v2: str
    note: str


@dataclass(frozen=True, slots=True)
class SharedParameter:
    """A parameter both sides have. `domain` is what both accept, None when it cannot be told.

    `held` says why the parameter is left at its default in every case, None when it is drawn.
    """

    v1_name: str
    v2_name: str
    v1: Parameter
    v2: Parameter
    domain: TypeDescription | None
    held: str | None = None

    @property
    def optional(self) -> bool:
        """Whether a case may leave it out on both sides."""
        return not self.v1.required and not self.v2.required

    def example(self) -> Any:
        """A default of either side, for edges around it. None when there is none that is plain data."""
        for parameter in (self.v1, self.v2):
            if parameter.has_default and parameter.default is not None:
                try:
                    return parameter.default_value()
                except (ValueError, KeyError):
                    continue
        return None


@dataclass(frozen=True, slots=True)
class Matching:
    """The parameters of a pair, side by side. `blocked` are those that one side alone has, and demands."""

    pair: str
    shared: tuple[SharedParameter, ...] = ()
    differences: tuple[ParameterDifference, ...] = ()
    fixed_v1: Mapping[str, object] = field(default_factory=dict)
    fixed_v2: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    @property
    def fixed(self) -> Mapping[str, Mapping[str, object]]:
        """Values held on one side alone, by side."""
        return {"v1": self.fixed_v1, "v2": self.fixed_v2}

    @property
    def drawn(self) -> tuple[SharedParameter, ...]:
        """The shared parameters that get values."""
        return tuple(shared for shared in self.shared if shared.held is None)


# ---------------------------------------------------------------------------------------------- matching


def match_parameters(v1: FlowDescription, v2: FlowDescription, settings: PairSettings) -> Matching:
    """Match by configured, exact, then folded name, and say where the signatures disagree.

    Raises UsageProblem when the configuration names a parameter that is not there.
    """
    pair = settings.name
    table = f"[tool.equivalence.pairs.{shown_name(pair)}]"
    ones = {parameter.name: parameter for parameter in v1.parameters if not parameter.variadic}
    twos = {parameter.name: parameter for parameter in v2.parameters if not parameter.variadic}
    keywords = any(parameter.kind == "var_keyword" for parameter in v2.parameters)
    for names, known, where in (
        (settings.parameters, ones, f"{table} parameters: the Prefect 1 flow {v1.name!r}"),
        (settings.parameters.values(), twos, f"{table} parameters: the Prefect 2 flow {v2.name!r}"),
        (settings.fixed_v1, ones, f"{table} fixed.v1: the Prefect 1 flow {v1.name!r}"),
        (settings.fixed_v2, twos, f"{table} fixed.v2: the Prefect 2 flow {v2.name!r}"),
    ):
        for name in names:
            if name not in known and not (known is twos and keywords):
                raise UsageProblem(f"{where} has no parameter {name!r}{nearest(name, known)}")
    free1 = {name: parameter for name, parameter in ones.items() if name not in settings.fixed_v1}
    free2 = {name: parameter for name, parameter in twos.items() if name not in settings.fixed_v2}
    found = _pair_names(free1, free2, settings.parameters)
    shared, differences, notes, blocked = [], [], [], []
    for name, one in free1.items():
        two = free2.get(found[name]) if name in found else None
        if two is None and keywords:
            two = Parameter(found.get(name, name), required=False)
            notes.append(f"{name} goes to the ** parameter of the Prefect 2 flow")
        if two is None:
            note = "only the Prefect 1 flow has it" + _maybe(one, free2, found)
            differences.append(ParameterDifference(_path(name), _signature(one), "absent", note))
            blocked += [name] if one.required else []
            continue
        item = _share(one, two)
        shared.append(item)
        differences += _compare(item, notes)
        if item.held:
            notes.append(f"{name} is held at its default: {item.held}")
        elif item.domain == {"type": "none"}:
            notes.append(f"{name} is only ever None: no annotation that can be told, and the default is None")
    for name, two in free2.items():
        if name in found.values():
            continue
        if two.required:
            note = f"only the Prefect 2 flow has it; hold it with {table} fixed.v2 = {{ {_toml(name)} = … }}"
            differences.append(ParameterDifference(_path(name), "absent", _signature(two), note))
            blocked.append(name)
        else:
            notes.append(f"{name} is in the Prefect 2 flow alone and held at its default {_default_text(two)}")
    fixed1, fixed2 = dict(settings.fixed_v1), dict(settings.fixed_v2)
    return Matching(pair, tuple(shared), tuple(differences), fixed1, fixed2, tuple(notes), tuple(blocked))


def _pair_names(
    ones: Mapping[str, Parameter], twos: Mapping[str, Parameter], configured: Mapping[str, str]
) -> dict[str, str]:
    found = {name: other for name, other in configured.items() if name in ones}
    for name in ones:
        if name not in found and name in twos and name not in found.values():
            found[name] = name
    left1 = [name for name in ones if name not in found]
    left2 = [name for name in twos if name not in found.values()]
    for name in left1:
        same1 = [other for other in left1 if _fold(other) == _fold(name)]
        same2 = [other for other in left2 if _fold(other) == _fold(name)]
        if len(same1) == len(same2) == 1:
            found[name] = same2[0]
    return found


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _share(one: Parameter, two: Parameter) -> SharedParameter:
    domain, held = common_domain(one, two), None
    if not one.required and not two.required:
        for parameter in (one, two):
            if parameter.has_default and parameter.default_opaques:
                held = f"the default is {_default_text(parameter)}, which cannot be drawn"
        if domain is None and held is None:
            held = f"no type can be told, and the default is {_default_text(two if two.has_default else one)}"
    return SharedParameter(one.name, two.name, one, two, domain, held)


def _compare(item: SharedParameter, notes: list[str]) -> Iterator[ParameterDifference]:
    one, two, path = item.v1, item.v2, _path(item.v1_name)
    if two.kind == "positional_only":
        notes.append(f"{item.v2_name} is positional-only in the Prefect 2 flow")
    if one.required != two.required:
        if two.required and one.has_default:
            note = "lost default: runs that leave it out worked in Prefect 1 and are refused in Prefect 2"
        elif two.required:
            note = "optional in Prefect 1, required in Prefect 2"
        else:
            note = "required in Prefect 1, optional in Prefect 2: runs without it were refused and now work"
        yield ParameterDifference(f"{path}.required", _signature(one), _signature(two), note)
    elif one.usable_default and two.usable_default and not _same_default(one, two):
        first, second = _default_text(one), _default_text(two)
        if one.default_opaques and two.default_opaques:
            notes.append(f"the defaults of {item.v1_name} were not compared: {first} and {second}")
            return
        yield ParameterDifference(f"{path}.default", first, second, "the defaults differ")


def _same_default(one: Parameter, two: Parameter) -> bool:
    if one.default_opaques or two.default_opaques:
        return False
    if one.default_digest == two.default_digest:
        return True
    if one.datetime_parameter:
        first, second = _moment(one), _moment(two)
        return first is not None and first == second
    return False


def _moment(parameter: Parameter) -> Any:
    """What a DateTimeParameter makes of its default: a text without an offset is UTC (Prefect 1.4.1)."""
    try:
        value = parameter.default_value()
        if isinstance(value, str) and parameter.datetime_parameter:
            value = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value))
            value = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return value if isinstance(value, datetime.datetime) and value.tzinfo else None


# ----------------------------------------------------------------------------------------------- domains


def common_domain(one: Parameter, two: Parameter) -> TypeDescription | None:
    """What both sides accept: the v2 annotation, shaped as the v1 default; without one, like the defaults."""
    declared = domains.told(two.type)
    if declared is not None:
        domain = _in_shape_of(declared, _example_type(one), two.like)
    else:
        domain = None
        examples = [one.type, one.like, two.like] if two.type["type"] == "any" else [two.like, one.like]
        if one.datetime_parameter:
            examples.insert(0, _MOMENT_TEXT)
        for example in examples:
            if example["type"] != "none" and domains.told(example) is not None:
                domain = domains.told(example)
                break
    none1, none2 = (p.has_default and p.default is None and not p.default_opaques for p in (one, two))
    if domain is None:
        return {"type": "none"} if none1 or none2 else None
    if none1 and none2 and not domains.accepts(domain, None):
        domain = {"type": "union", "options": [*domains.options(domain), {"type": "none"}]}
    return domain


_MOMENT_TEXT: TypeDescription = {"type": "text", "of": {"type": "datetime", "aware": True}}
_WRITTEN = ("datetime", "date", "time", "uuid", "decimal", "path", "int", "float", "bool")
_TAKES_TEXT = ("str", "any", "enum", "literal", "text")
_ROWS = ("list", "set", "frozenset", "tuple_of", "tuple")


def _example_type(parameter: Parameter) -> TypeDescription:
    if parameter.datetime_parameter:
        return {"type": "str", "reads": "datetime"}
    return parameter.type if parameter.like["type"] in ("none", "any", "unknown") else parameter.like


def _in_shape_of(kind: TypeDescription, example: TypeDescription, own: TypeDescription) -> TypeDescription:
    """The same domain, spelled as the other side's default is: a text for a date, a list for a set.

    Prefect 2 coerces what it is given to its annotation, Prefect 1 passes it on as it is.
    """
    choices = domains.options(kind)
    text = example["type"] == "str" and not any(choice["type"] in _TAKES_TEXT for choice in choices)
    shaped = [_shape(choice, example, own, text) for choice in choices]
    return shaped[0] if kind["type"] != "union" else {"type": "union", "options": shaped}


def _shape(
    kind: TypeDescription, example: TypeDescription, own: TypeDescription, text: bool = False
) -> TypeDescription:
    name, other = kind["type"], example["type"]
    if name == "datetime" and "aware" not in kind:
        known = next((e["aware"] for e in (example, own) if e["type"] == "datetime" and "aware" in e), True)
        kind = {**kind, "aware": known}
    if text and name in _WRITTEN:
        return {"type": "text", "of": kind}
    if name == "str" and other == "str" and "reads" in example and len(kind) == 1:
        return {**kind, "reads": example["reads"]}
    if name in _ROWS and other in _ROWS:
        return _rows(kind, example)
    if name == "dict" and other == "dict":
        return {**kind, "values": _in_shape_of(kind["values"], example["values"], {"type": "any"})}
    if name == "model" and other == "model":
        fields = {
            key: {
                **entry,
                "type": _in_shape_of(entry["type"], example["fields"][key]["type"], {"type": "any"}),
            }
            if key in example["fields"]
            else entry
            for key, entry in kind["fields"].items()
        }
        return {**kind, "fields": fields}
    return kind


def _rows(kind: TypeDescription, example: TypeDescription) -> TypeDescription:
    name, other = kind["type"], example["type"]
    if name == "tuple":
        return {**kind, "as": "list"} if other == "list" else kind
    if other == "tuple":
        return kind
    items = _in_shape_of(kind["items"], example["items"], {"type": "any"})
    shaped = {**kind, "items": items, "type": other}
    if name in ("set", "frozenset") and other in ("list", "tuple_of"):
        shaped["unique"] = True
    return shaped


# ------------------------------------------------------------------------------------------------- texts


def nearest(name: str, known: Mapping[str, object]) -> str:
    """The end of a message about an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; it has {', '.join(map(repr, known))}" if known else "; it has none"


def _maybe(one: Parameter, twos: Mapping[str, Parameter], found: Mapping[str, str]) -> str:
    """What the parameter may have become: one of a like name, of a name within its own, or of the same default."""
    left = [other for other in twos if other not in found.values()]
    near = difflib.get_close_matches(one.name, left, 1, 0.5)
    near += [other for other in left if _fold(other) in _fold(one.name) or _fold(one.name) in _fold(other)]
    near += [other for other in left if one.has_default and twos[other].default_digest == one.default_digest]
    if not near:
        return ""
    return f"; if it became {near[0]!r}: parameters = {{ {_toml(one.name)} = {quoted(near[0])} }}"


def _path(name: str) -> str:
    return f"parameters.{name}" if name.isidentifier() else f"parameters[{quoted(name)}]"


def shown_name(name: str) -> str:
    """A name as it is, quoted where it is no identifier."""
    return name if name.isidentifier() else quoted(name)


def _toml(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def quoted(text: str) -> str:
    """Text in double quotes, as TOML and Python both read it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def short(text: str) -> str:
    """At most 200 characters of a text."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _signature(parameter: Parameter) -> str:
    if parameter.required:
        unused = f", default {_default_text(parameter)} never used" if parameter.has_default else ""
        return "required" + unused
    return f"optional, default {_default_text(parameter)}" if parameter.has_default else "optional"


def _default_text(parameter: Parameter) -> str:
    try:
        return short(repr(parameter.default_value()))
    except (ValueError, KeyError):
        tree = parameter.default if isinstance(parameter.default, dict) else {}
        if tree.get("t") == "enum":
            return f"{tree['c']}.{tree['k']}"
        return short(str(tree.get("why") or f"an object of {tree.get('c', 'a class of its own')}"))
