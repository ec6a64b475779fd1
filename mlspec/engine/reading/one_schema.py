"""The schema that all files of a source have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from mlspec.engine.reading.check_columns import check_columns
from mlspec.engine.reading.places import name_of, root_of
from mlspec.engine.reading.same_columns import same_columns
from mlspec.sdk.context import Context


def one_schema(
    files: Sequence[Any], path: str, context: Context, schema_of: Callable[[Any, str], pa.Schema]
) -> pa.Schema:
    """Return the schema of the first file, if all others have the same columns with the same types.

    Args:
        files: At least one.
        path: What stands for them.
        context: Where relative paths start.
        schema_of: Reads the schema of a file; told its name for messages.

    Raises:
        StepError: a file has other columns or types; or names that cannot be told apart.
    """
    root = root_of(path, context)
    first: tuple[str, pa.Schema] | None = None
    for file in files:
        name = name_of(file, context, root)
        schema = schema_of(file, name)
        if first is None:
            first = (name, schema)
            check_columns(tuple(schema.names), f"'{name}'")
        here, columns = first
        same_columns((here, columns.names), (name, schema.names), (_types(columns), _types(schema)))
    assert first is not None
    return first[1]


def with_text(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Return a schema with the columns of some names behind its own, as text."""
    return pa.schema([*schema, *((name, pa.string()) for name in names[len(schema.names) :])])


def _types(schema: pa.Schema) -> dict[str, pa.DataType]:
    return {field.name: _plain(field.type) for field in schema}


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return a type without the ways in which files store one and the same value."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return kind
