"""The one feature graph: fitted on the training split, raw columns in, a model's inputs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import onnx

from mlspec.engine.ask import here
from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.engine.files import read_json, write_bytes, write_json
from mlspec.engine.graph.blocks import cast
from mlspec.engine.graph.moments import bounds, exact_moments
from mlspec.errors import StepError
from mlspec.sdk.contract import InputColumn, JsonType, ModelInputs
from mlspec.sdk.feature import Feature, FittedColumn


def fit_features(train: ibis.Table, features: Mapping[str, Feature]) -> tuple[FittedColumn, ...]:
    """Return each feature with what it learned of its column.

    Two looks at the rows serve all columns, and one more each set of values.

    Args:
        train: The rows of the training split.
        features: Columns of the table and what each is.

    Raises:
        StepError: the table lacks a column, or a column's values do not suit its kind.
    """
    columns = {name: _column(train, name) for name in features}
    numbers: dict[str, ibis.Column] = {}
    for name, feature in features.items():
        found = feature.moments(columns[name])
        if found is not None:
            numbers[name] = found.cast("float64")
    # Of a column whose own numbers stream by, those that are missing need no query.
    told_by_numbers = {name for name, found in numbers.items() if here(train) and found.equals(columns[name])}
    asked: dict[str, ibis.Scalar] = {"rows": train.count()}
    for name, feature in features.items():
        if name not in told_by_numbers:
            asked[f"{name}.nulls"] = _nulls(columns[name])
        asked |= {f"{name}:{key}": value for key, value in feature.aggregates(columns[name]).items()}
    told = bounds(train, numbers, asked)
    moments = exact_moments(train, numbers, told)
    fitted = []
    for name, feature in features.items():
        seen = told["rows"] - told[f"{name}.rows"] if name in told_by_numbers else told[f"{name}.nulls"]
        nulls = int(seen or 0)
        values: dict[str, Any] = {"rows": told["rows"], "nulls": nulls}
        values |= {key: told[f"{name}:{key}"] for key in feature.aggregates(columns[name])}
        values |= moments[name].as_dict() if name in moments else {}
        state = _fit(name, feature, values, _counts(train, name, feature))
        fitted.append(FittedColumn(name, feature, state, nulls))
    return tuple(fitted)


def build_features(columns: Sequence[FittedColumn]) -> onnx.ModelProto:
    """Return the feature graph: one rank-1 input a column; outputs `mlspec/numbers` and `mlspec/codes`."""
    builder = Builder("features")
    _assemble(builder, columns)
    return builder.model()


def input_columns(columns: Sequence[FittedColumn], types: Mapping[str, JsonType]) -> tuple[InputColumn, ...]:
    """Return what the graph takes, in the order of its inputs.

    Args:
        columns: The fitted columns.
        types: What each raw column holds, as `manifest.json` tells.

    Raises:
        StepError: a column holds what its kind does not take, such as numbers with a fraction for a category.
    """
    return tuple(
        InputColumn(
            name=column.name,
            kind=column.feature.kind,
            tensor=column.feature.tensor,
            type=_type(column, types.get(column.name)),
            timezone=getattr(column.feature, "timezone", None),
        )
        for column in columns
    )


def shape(columns: Sequence[FittedColumn]) -> ModelInputs:
    """Return the shape of encoded rows."""
    return _assemble(Builder("features"), columns)


def write_features(folder: Path, columns: Sequence[FittedColumn], types: Mapping[str, JsonType]) -> None:
    """Write `features.onnx` and `features.json` into a folder."""
    inputs = input_columns(columns, types)
    write_bytes(folder / "features.onnx", build_features(columns).SerializeToString(deterministic=True))
    whole = {"inputs": [item.model_dump() for item in inputs], "shape": shape(columns).model_dump()}
    write_json(folder / "features.json", whole)


def read_features(folder: Path) -> tuple[tuple[InputColumn, ...], ModelInputs]:
    """Return what `features.json` of a folder tells: what the graph takes, and the shape it gives."""
    whole = read_json(folder / "features.json")
    return tuple(InputColumn.revive(item) for item in whole["inputs"]), ModelInputs.revive(whole["shape"])


def _column(table: ibis.Table, name: str) -> ibis.Column:
    if name not in table.columns:
        raise StepError(f"the data has no column '{name}'", where=f"data.features.{name}")
    return table[name]


def _nulls(column: ibis.Column) -> ibis.Scalar:
    missing = column.isnull()
    return (missing | column.isnan() if column.type().is_floating() else missing).sum()


def _counts(table: ibis.Table, name: str, feature: Feature) -> list[tuple[str | None, int]]:
    """Return the rows of each value as text; sorted here, for databases sort text by rules of their own."""
    if not feature.counts():
        return []
    text = table[name].cast("string")
    found = table.group_by(value=text).aggregate(rows=lambda rows: rows.count()).to_pyarrow()
    pairs = zip(found["value"].to_pylist(), found["rows"].to_pylist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0] is not None, pair[0] or ""))


def _fit(
    name: str, feature: Feature, values: Mapping[str, Any], counts: Sequence[tuple[str | None, int]]
) -> dict[str, Any]:
    try:
        return feature.fit(values, counts)
    except StepError as error:
        raise StepError(
            f"column '{name}' {error.what}", where=f"data.features.{name}", fix=error.fix
        ) from error


def _type(column: FittedColumn, held: JsonType | None) -> JsonType:
    takes = column.feature.takes
    if held not in takes:
        raise StepError(
            f"column '{column.name}' holds '{held}', and a {column.feature.kind} takes {' or '.join(takes)}",
            where=f"data.features.{column.name}",
            fix="choose another kind for it, or convert it in the source",
        )
    return held if column.feature.tensor == "string" else takes[0]


def _assemble(builder: Builder, columns: Sequence[FittedColumn]) -> ModelInputs:
    if not columns:
        raise StepError("a model needs at least one feature", where="data.features")
    for column in columns:
        builder.input(column.name, column.feature.tensor)
    groups: dict[type[Feature], list[FittedColumn]] = {}
    for column in columns:
        groups.setdefault(type(column.feature), []).append(column)
    blocks = [kind.block(builder, group) for kind, group in groups.items()]
    numbers = _beside(builder, (block.numbers for block in blocks))
    codes = _beside(builder, (block.codes for block in blocks))
    number_names = tuple(name for block in blocks for name in block.number_names)
    sizes = tuple(size for block in blocks for size in block.sizes)
    if numbers is None and codes is None:
        raise StepError("the features give a model no input", where="data.features")
    builder.output(
        numbers or _none(builder, codes, "float32"), NUMBERS, "float32", ("rows", len(number_names))
    )
    builder.output(codes or _none(builder, numbers, "int64"), CODES, "int64", ("rows", len(sizes)))
    return ModelInputs(
        numbers=len(number_names),
        sizes=sizes,
        number_names=number_names,
        code_names=tuple(name for block in blocks for name in block.code_names),
    )


def _beside(builder: Builder, tensors: Iterable[str | None]) -> str | None:
    present = [tensor for tensor in tensors if tensor is not None]
    if not present:
        return None
    return present[0] if len(present) == 1 else builder.node("Concat", *present, axis=1)


def _none(builder: Builder, other: str | None, dtype: str) -> str:
    """Append no column at all, of as many rows as another tensor has."""
    zero, one = builder.constant([0], "int64"), builder.constant([1], "int64")
    return cast(builder, builder.node("Slice", other or "", zero, zero, one), dtype)
