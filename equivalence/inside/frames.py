"""Arrays and frames of numpy, pandas and polars, as nodes of columns; and the scalars they hold.

None of the three is imported: what arrives here has its library loaded already.
"""

from __future__ import annotations

import json
import sys
from json.encoder import encode_basestring_ascii as quote
from typing import Any, List, Optional, Tuple

from .classes import module_of, qualname_of, rest
from .columns import CODES, Column, json_column, node, numpy_column, raw_column, whole
from .encoder import Encoder, Handler, made
from .nodes import Cell, Encoded, Refused, key_piece, skeleton_of


def handler_for(cls: type, mro: Tuple[type, ...]) -> Optional[Handler]:
    """How to encode a class of one of the three libraries, or None for the general way."""
    names = {(str(module_of(base)).split(".")[0], qualname_of(base)) for base in mro}
    own = (str(module_of(cls)).split(".")[0], qualname_of(cls))
    if ("numpy", "generic") in names:
        return _numpy_scalar
    if own == ("numpy", "ndarray"):
        return _array
    if ("numpy", "MaskedArray") in names:
        return _masked
    if ("numpy", "ndarray") in names:
        return _array_subclass
    if own[0] == "pandas" or own[0] == "polars":
        return _OWN.get(own)
    return None


# -- numpy --


def _numpy_scalar(encoder: Encoder, value: Any) -> Encoded:
    plain = value.item()
    kind = value.dtype.kind
    if type(plain) in (bool, int, float, complex, str, bytes) and kind not in "mM":
        if type(value).__module__.split(".")[0] != "numpy":
            return made(encoder, value, rest(value), base=lambda: encoder.node(plain))
        encoder.skew("numpy-scalar")
        return encoder.node(plain)
    if kind == "V":
        return made(encoder, value, [("dtype", str(value.dtype)), ("value", plain)])
    return made(encoder, value, [("dtype", value.dtype.name), ("value", str(value))])


def _array(encoder: Encoder, value: Any) -> Encoded:
    return encoder.inside(value, lambda: _plain_array(encoder, value))


def _plain_array(encoder: Encoder, value: Any) -> Cell:
    np = sys.modules["numpy"]
    column = numpy_column(encoder, np.ascontiguousarray(value).reshape(-1))
    shape = json.dumps(list(value.shape))
    extra = '"lib":"numpy","shape":%s,"dtype":%s,' % (shape, quote(json.loads(column.text)["dtype"]))
    return node(encoder, "array", int(value.size), extra, shape + column.digest, [('"column":', "", column)])


def _array_subclass(encoder: Encoder, value: Any) -> Encoded:
    np = sys.modules["numpy"]
    return made(
        encoder,
        value,
        rest(value),
        base=lambda: _plain_array(encoder, np.asarray(value).view(np.ndarray)),
    )


def _masked(encoder: Encoder, value: Any) -> Encoded:
    np = sys.modules["numpy"]
    mask = np.ma.getmaskarray(value)
    data = np.ma.getdata(value).copy()
    data[mask] = np.zeros((), data.dtype)  # what lies under the mask is no part of the value
    return made(encoder, value, [("data", data), ("mask", mask)])


# -- pandas --


def _missing(member: Any) -> bool:
    return member is None or (type(member) is float and member != member) or type(member).__name__ == "NAType"


def _pandas_column(encoder: Encoder, series: Any) -> Column:
    """A column from a Series or Index."""
    np = sys.modules["numpy"]
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return numpy_column(encoder, np.asarray(series.to_numpy()))
    name = str(dtype)
    if name.startswith("datetime64["):
        return raw_column(encoder, np.asarray(series.array.asi8), name, "q")
    if name.startswith("category"):
        categories = json_column(encoder, list(dtype.categories), str(dtype.categories.dtype))
        name = "category[%d%s %s]" % (
            len(dtype.categories), " ordered" if dtype.ordered else "", categories.digest[:12]
        )  # fmt: skip
        codes = list(dtype.categories)
        return json_column(encoder, [None if code < 0 else codes[code] for code in series.array.codes.tolist()], name)
    members = series.tolist() if hasattr(series, "tolist") else list(series)
    if name in ("object", "str", "string") or name.startswith("string["):
        kinds = {type(member) for member in members if not _missing(member)}
        if kinds == {str} or (not kinds and name != "object"):
            if name != "string":
                encoder.skew("string-dtype")
            return json_column(encoder, [None if _missing(member) else member for member in members], "string")
        return json_column(encoder, members, "object")
    return json_column(encoder, [None if type(m).__name__ == "NAType" else m for m in members], name)


def _index(encoder: Encoder, index: Any) -> Tuple[str, str, Optional[Column]]:
    """JSON after ``"index":``, canonical text, column of an index; an index that counts evenly is a range."""
    kind = type(index).__name__
    names = skeleton_of(encoder.node(list(index.names)))
    plain = "" if all(name is None for name in index.names) else names
    named = ',"name":%s' % json.dumps([str(name) for name in index.names]) if plain else ""
    if kind == "RangeIndex":
        span = json.dumps([index.start, index.stop, index.step])
        if len(index) == 0:
            span = "[0, 0, 1]"
        return '"index":{"range":%s%s}' % (span, named), plain + span, None
    if kind in ("Index", "Int64Index") and str(index.dtype) == "int64" and len(index):
        np = sys.modules["numpy"]
        data = index.to_numpy()
        step = int(data[1] - data[0]) if len(data) > 1 else 1
        if step and bool((np.diff(data) == step).all()):
            encoder.skew("range-index")
            span = json.dumps([int(data[0]), int(data[0]) + step * len(data), step])
            return '"index":{"range":%s%s}' % (span, named), plain + span, None
    column = json_column(encoder, list(index), "tuple") if kind == "MultiIndex" else _pandas_column(encoder, index)
    return (
        '"index":' + column.text[:-1] + named + "}",
        plain + column.digest,
        Column("", column.digest, column.opaques, column.where),
    )


def _pandas_index(encoder: Encoder, value: Any) -> Encoded:
    def build() -> Cell:
        text, canonical, column = _index(encoder, value)
        parts = [] if column is None else [(text, "", column)]
        if column is None:
            parts = [(text, "", Column("", "", 0, []))]
        return node(encoder, "index", len(value), '"lib":"pandas",', canonical, parts)

    return encoder.inside(value, build)


def _pandas_series(encoder: Encoder, value: Any) -> Encoded:
    def build() -> Cell:
        column = _pandas_column(encoder, value)
        text, canonical, index = _index(encoder, value.index)
        name = encoder.node(value.name)
        shown = name if isinstance(name, str) else whole(name)
        empty = Column("", "", 0, [])
        return node(
            encoder, "series", len(value), '"lib":"pandas","name":%s,' % shown,
            "pandas" + skeleton_of(name) + canonical + column.digest,
            [('"column":', "", column), ("," + text, ".index", index or empty)],
        )  # fmt: skip

    return encoder.inside(value, build)


def _pandas_frame(encoder: Encoder, value: Any) -> Encoded:
    def build() -> Cell:
        columns = [
            (name, _pandas_column(encoder, value.iloc[:, position])) for position, name in enumerate(value.columns)
        ]
        text, canonical, index = _index(encoder, value.index)
        return _frame(encoder, "pandas", len(value), columns, text, canonical, index)

    return encoder.inside(value, build)


def _frame(
    encoder: Encoder,
    lib: str,
    rows: int,
    columns: List[Tuple[Any, Column]],
    text: str,
    canonical: str,
    index: Any,
) -> Cell:
    parts = []
    before = '"columns":['
    for name, column in columns:
        encoded = encoder.node(name)
        shown = encoded if isinstance(encoded, str) else whole(encoded)
        canonical += "," + skeleton_of(encoded) + column.digest
        piece = "[%s]" % json.dumps(name) if type(name) is str else key_piece(name)
        parts.append((before + '{"name":%s,"column":' % shown, piece, column))
        before = "},"
    empty = Column("", "", 0, [])
    parts.append(("}]" if columns else '"columns":[]', "", empty))
    if text:
        parts.append(("," + text, ".index", index or empty))
    return node(encoder, "frame", rows, '"lib":"%s",' % lib, lib + str(rows) + canonical, parts)


def _pandas_scalar(encoder: Encoder, value: Any) -> Encoded:
    kind = type(value).__name__
    if kind in ("NaTType", "NAType"):
        return made(encoder, value, [])
    if kind == "Timestamp":
        moment = value.to_pydatetime(warn=False)
        return made(encoder, value, [("nanosecond", value.nanosecond)], base=lambda: encoder.node(moment))
    if kind == "Timedelta":
        plain = value.to_pytimedelta()
        return made(encoder, value, [("nanosecond", value.nanoseconds)], base=lambda: encoder.node(plain))
    if kind == "Period":
        return made(encoder, value, [("value", str(value)), ("freq", value.freqstr)])
    return made(encoder, value, [("left", value.left), ("right", value.right), ("closed", value.closed)])


# -- polars --


def _polars_column(encoder: Encoder, series: Any) -> Column:
    name = str(series.dtype)
    if name == "Utf8":
        encoder.skew("string-dtype")
        name = "String"
    np = sys.modules.get("numpy")
    if np is not None and name.lower() in np.sctypeDict and not series.null_count():
        code = CODES.get(np.dtype(name.lower()).kind, {}).get(np.dtype(name.lower()).itemsize)
        if code is not None:
            return raw_column(encoder, series.to_numpy(), name, code)
    if name == "Object":
        raise Refused("a polars column of Python objects")
    return json_column(encoder, series.to_list(), name)


def _polars_series(encoder: Encoder, value: Any) -> Encoded:
    def build() -> Cell:
        column = _polars_column(encoder, value)
        name = quote(value.name)
        return node(
            encoder, "series", len(value), '"lib":"polars","name":%s,' % name,
            "polars" + name + column.digest, [('"column":', "", column)],
        )  # fmt: skip

    return encoder.inside(value, build)


def _polars_frame(encoder: Encoder, value: Any) -> Encoded:
    def build() -> Cell:
        columns = [(series.name, _polars_column(encoder, series)) for series in value.get_columns()]
        return _frame(encoder, "polars", value.height, columns, "", "", None)

    return encoder.inside(value, build)


_OWN = {("pandas", "DataFrame"): _pandas_frame, ("pandas", "Series"): _pandas_series}
_OWN.update({("polars", "DataFrame"): _polars_frame, ("polars", "Series"): _polars_series})
for _name in ("Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType"):
    _OWN["pandas", _name] = _pandas_scalar
for _name in (
    "Index",
    "RangeIndex",
    "Int64Index",
    "UInt64Index",
    "Float64Index",
    "MultiIndex",
    "DatetimeIndex",
):
    _OWN["pandas", _name] = _pandas_index
for _name in ("CategoricalIndex", "TimedeltaIndex", "PeriodIndex", "IntervalIndex"):
    _OWN["pandas", _name] = _pandas_index
del _name
