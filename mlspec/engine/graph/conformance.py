"""Raw rows and a file's answers to them: what shows that a door in another language is the same door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mlspec.engine.door import BIGGEST
from mlspec.engine.graph.session import Session
from mlspec.engine.zone import zone
from mlspec.sdk.contract import NULL, Contract, InputColumn

ROWS = 64
"""Rows taken from anywhere, and as many from the end, where the made-up ones stand."""
LONGEST = 4096
"""Characters of a text that still goes into the set."""
ATOL = RTOL = 1e-6
"""How far answers may lie apart on another processor; on the same one they are equal to the last bit."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BAD: Mapping[str, tuple[Any, ...]] = {
    "number": ("1", True, [1]),
    "integer": ("1", 1.5, True),
    "string": (1, True, "a\0b", NULL),
    "boolean": ("true", 1),
    "datetime": (0, True, "soon", "2023-02-30T00:00:00Z", "2023-01-01"),
}


def conformance(contract: Contract, session: Session, rows: pa.RecordBatch) -> dict[str, Any]:
    """Return rows as JSON with their answers, and rows that must be refused, each with the column at fault.

    Args:
        contract: Of the file.
        session: The file.
        rows: Raw rows that the door lets pass.
    """
    chosen = _chosen(rows, contract)
    answers = session.run(chosen)
    clear = _clear(answers, contract)
    chosen = chosen.filter(pa.array(clear))
    columns = {item.name: _as_json(chosen.column(item.name), item) for item in contract.inputs}
    told = [{name: values[row] for name, values in columns.items()} for row in range(chosen.num_rows)]
    return {
        "version": 1,
        "model_version": contract.model_version,
        "tolerance": {
            "atol": ATOL * (contract.target.std if contract.target.kind == "number" else 1.0),
            "rtol": RTOL,
        },
        "rows": told,
        "answers": {output.name: answers[output.name][clear].tolist() for output in contract.outputs},
        "refused": _refused(told[0], contract.inputs) if told else [],
    }


def _chosen(rows: pa.RecordBatch, contract: Contract) -> pa.RecordBatch:
    """Return some rows that JSON can tell: no very long text, no integer that loses digits as a number."""
    spread = np.linspace(0, max(rows.num_rows - ROWS - 1, 0), ROWS).astype(np.int64)
    places = np.unique(np.concatenate([spread, np.arange(max(rows.num_rows - ROWS, 0), rows.num_rows)]))
    some = rows.take(pa.array(places[places < rows.num_rows]))
    kept = np.ones(some.num_rows, bool)
    for item in contract.inputs:
        for place, value in enumerate(some.column(item.name).to_pylist() if item.tensor == "string" else ()):
            long = isinstance(value, str) and len(value) > LONGEST
            kept[place] &= not (
                long or (item.type == "integer" and value is not None and abs(int(value)) > BIGGEST)
            )
    return some.filter(pa.array(kept))


def _clear(answers: Mapping[str, np.ndarray], contract: Contract) -> np.ndarray:
    """Return which rows have a label that does not hang by the last digits of a probability."""
    if "label" not in answers:
        return np.ones(len(next(iter(answers.values()))), bool)
    shares = answers["probabilities"].astype(np.float64)
    if contract.threshold is not None:
        return np.asarray(np.abs(shares[:, -1] - contract.threshold) > 10 * ATOL)
    ordered = np.sort(shares, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] > 10 * ATOL)


def _as_json(column: pa.Array, item: InputColumn) -> list[Any]:
    values = column.to_pylist()
    if item.type == "datetime":
        return [
            None if at is None else _time(at, item.timezone, place)
            for place, at in enumerate(_instants(column))
        ]
    if item.type == "integer":
        return [None if value is None else int(value) for value in values]
    if item.type == "boolean":
        return [None if value is None else value in (True, "true") for value in values]
    if item.type == "string":
        return list(values)
    return [None if value is None or value != value else float(value) for value in values]


def _instants(column: pa.Array) -> list[int | None]:
    found: list[int | None] = (
        column.cast(pa.timestamp("ms", column.type.tz), safe=False).cast(pa.int64()).to_pylist()
    )
    return found


def _time(instant: int, timezone: str | None, place: int) -> str:
    """Return RFC 3339; every other time of our days as a clock of the stated zone shows it."""
    moment = _EPOCH + timedelta(milliseconds=instant)
    if timezone is not None and place % 2 and 1975 <= moment.year <= 2030:
        rules = zone(timezone)
        local = instant + rules.offsets[np.searchsorted(rules.starts, instant, side="right")]
        if rules.to_utc(np.array([local]))[0] == instant:
            return (
                (_EPOCH + timedelta(milliseconds=float(local)))
                .replace(tzinfo=None)
                .isoformat(timespec="milliseconds")
            )
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _refused(row: Mapping[str, Any], inputs: Sequence[InputColumn]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in inputs:
        for value in _BAD[item.type]:
            if not (value == "2023-01-01" and item.timezone is not None):
                found.append({"column": item.name, "row": {**row, item.name: value}})
        found.append(
            {"column": item.name, "row": {name: kept for name, kept in row.items() if name != item.name}}
        )
    stranger = "no such column"
    found.append({"column": stranger, "row": {**row, stranger: 1}})
    return found
