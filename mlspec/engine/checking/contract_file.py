"""The reviewed file that says what the data must look like."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mlspec.errors import StepError
from mlspec.sdk.contract import JsonType
from mlspec.sdk.frozen import Frozen

SMALL = 50
"""Distinct values up to which a text column gets a domain."""
HEADER = """\
# What the data '{name}' must look like: inferred by mlspec from {rows} rows, to be reviewed and kept in git.
# type      what a column holds: number, integer, string, boolean, datetime
# max_null  share of rows (0-1) that may hold nothing
# low, high smallest and largest number
# domain    the only values that may occur
# Take out what need not hold; loosen what may move. `mlspec validate` and every run check it.
"""


class ColumnContract(Frozen):
    """What one column must look like."""

    type: JsonType
    """What it holds."""
    max_null: float = Field(default=0.0, ge=0, le=1)
    """Share of rows (fraction 0-1) that may hold nothing."""
    low: float | None = None
    """Smallest number."""
    high: float | None = None
    """Largest number."""
    domain: tuple[str, ...] | None = None
    """The only values, as text."""

    @field_validator("domain", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return tuple(_text(item) for item in value)


class DataContract(Frozen):
    """What all columns must look like."""

    version: Literal[1]
    columns: Mapping[str, ColumnContract]


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def infer_contract(
    statistics: Mapping[str, Any], types: Mapping[str, JsonType], keys: Sequence[str] = (), name: str = "data"
) -> str:
    """Return the text of a contract that the data at hand just meets; keys get a type only.

    Args:
        statistics: What `statistics()` gave.
        types: What each raw column holds.
        keys: Columns that identify a row.
        name: Of the data, for the heading.
    """
    rows = statistics["rows"]
    columns: dict[str, dict[str, Any]] = {}
    for column_name, entry in statistics["columns"].items():
        column: dict[str, Any] = {
            "type": types[column_name],
            "max_null": _room(entry["nulls"] / rows if rows else 0.0),
        }
        columns[column_name] = column
        if column_name in keys:
            continue
        if types[column_name] in ("number", "integer") and "top" not in entry and entry["min"] is not None:
            column |= {"low": _plain(entry["min"]), "high": _plain(entry["max"])}
        # A value for every few rows is no domain but chance.
        if "top" in entry and 0 < entry["distinct"] <= min(SMALL, rows // 10 or 1):
            values = entry["values"]
            column["domain"] = sorted(map(int, values)) if types[column_name] == "integer" else sorted(values)
    stream = io.StringIO()
    _yaml().dump({"version": 1, "columns": columns}, stream)
    return HEADER.format(name=name, rows=rows) + stream.getvalue()


def _room(share: float) -> float:
    """Return a share of nulls with room to double, in whole hundredths; none where there are none."""
    return min(1.0, math.ceil(200 * share) / 100)


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) and abs(number) < 2**53 else number


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 110
    return yaml


def read_contract(path: Path, name: str) -> DataContract:
    """Return the content of a contract file.

    Args:
        path: The file.
        name: As the user calls it, for messages.

    Raises:
        StepError: it is no contract.
    """
    try:
        content = _yaml().load(path.read_text("utf-8"))
    except (YAMLError, UnicodeError) as error:
        raise StepError(f"'{name}' is no YAML: {error}", where=name) from error
    if not isinstance(content, dict):
        raise StepError(
            f"'{name}' holds no mapping", where=name, fix="delete it and run again: it is inferred anew"
        )
    try:
        return DataContract.revive(content)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise StepError(f"'{name}' at '{place}': {fault['msg']}", where=name) from error
