"""Words of which feature kinds make their nodes: `[columns, rows]` inside, `[rows, columns]` at the end."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from mlspec.engine.builder import Builder
from mlspec.sdk.contract import NULL

BOUND = 1e6
"""No number of a model's input lies farther from 0; float32 holds nothing beyond 3.4e38."""
UNSEEN, MISSING, FIRST = 0, 1, 2
"""Codes: a value that training did not know or knew too seldom, null, and the first of the known values."""
_ONNX = {"float32": 1, "int64": 7, "float64": 11}


def cast(builder: Builder, name: str, dtype: str) -> str:
    """Append a Cast; make sure before that an integer type can hold the values."""
    return builder.nodes("Cast", name, outputs=1, to=_ONNX[dtype])[0]


def stack(builder: Builder, names: Sequence[str]) -> str:
    """Append the stacking of rank-1 tensors, and return the `[columns, rows]` one."""
    axis = builder.constant([0], "int64")
    rows = [builder.node("Unsqueeze", name, axis) for name in names]
    return rows[0] if len(rows) == 1 else builder.node("Concat", *rows, axis=0)


def scaled(
    builder: Builder,
    values: str,
    centres: Sequence[float],
    factors: Sequence[float],
    bounds: Sequence[float] = (BOUND,),
) -> str:
    """Append `(values - centre) * factor` in double, cut, as float32 at the last: `[columns, rows]`.

    Args:
        builder: The graph.
        values: `[columns, rows] float64`.
        centres: Of each column.
        factors: Of each column; never 0, for 0 times infinity would be none.
        bounds: How far from 0 the numbers of each column may lie, or one bound for all.
    """
    values = builder.node("Sub", values, builder.constant([[centre] for centre in centres], "float64"))
    values = builder.node("Mul", values, builder.constant([[factor] for factor in factors], "float64"))
    if len(set(bounds)) == 1:
        limits = builder.constant(-bounds[0], "float64"), builder.constant(bounds[0], "float64")
        return cast(builder, builder.node("Clip", values, *limits), "float32")
    values = builder.node("Max", values, builder.constant([[-bound] for bound in bounds], "float64"))
    values = builder.node("Min", values, builder.constant([[bound] for bound in bounds], "float64"))
    return cast(builder, values, "float32")


def columns_of(builder: Builder, parts: Sequence[str]) -> str:
    """Append the way from `[columns, rows]` parts to one `[rows, columns]` tensor."""
    whole = parts[0] if len(parts) == 1 else builder.node("Concat", *parts, axis=0)
    return builder.node("Transpose", whole, perm=[1, 0])


def codes(builder: Builder, column: str, values: Mapping[str, int]) -> str:
    """Append the look-up of a text column, and return its codes, `[rows] int64`.

    Args:
        builder: The graph.
        column: Name of the input.
        values: Each spelling of a known value and its code; a composed and a decomposed spelling that are not
            among them get the code of theirs as well.
    """
    keys = {NULL: MISSING}
    for value, code in values.items():
        keys.setdefault(value, code)
    for value, code in values.items():
        for form in spellings(value):
            keys.setdefault(form, code)
    return builder.node(
        "LabelEncoder", column, domain="ai.onnx.ml",
        keys_strings=list(keys), values_int64s=list(keys.values()), default_int64=UNSEEN,
    )  # fmt: skip


def spellings(value: str) -> tuple[str, str]:
    """Return a text with its accents composed (NFC) and decomposed (NFD), which look alike.

    Example:
        >>> [len(spelling) for spelling in spellings("caf\u00e9")]
        [4, 5]
    """
    if value.isascii():
        return value, value
    return unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)


def merged(counts: Sequence[tuple[str | None, int]]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return each value, composed, with its rows and the spellings seen; by falling rows, then by value."""
    rows: dict[str, int] = {}
    seen: dict[str, list[str]] = {}
    for value, count in counts:
        if value is not None:
            key = spellings(value)[0]
            rows[key] = rows.get(key, 0) + count
            seen.setdefault(key, []).append(value)
    order = sorted(rows, key=lambda key: (-rows[key], key))
    return {key: (rows[key], tuple(sorted(seen[key]))) for key in order}
