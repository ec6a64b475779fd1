"""From the bytes of a request to the bytes of its answer."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlspec.engine.door import BadRows
from mlspec.engine.serving.rows import to_batch
from mlspec.engine.serving.strict_json import NotJson, strict_json

if TYPE_CHECKING:
    import pyarrow as pa

    from mlspec.engine.scoring.scorer import Scorer
    from mlspec.engine.watching.tap import Tap

FEW = 16
"""Rows up to which taps are handed what came: as a batch of its own each request would cost them more."""
TOLD = 100
"""Faults that one answer lists; the rest is counted."""


@dataclass(frozen=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes


def error(status: int, what: str, **more: Any) -> Answer:
    """Return the answer that tells what is wrong."""
    return Answer(status, _encode({"error": what, **more}))


class Responder:
    """Answers bodies with a model; safe to call from several threads.

    A body is a row (an object with the model's columns), a list of rows, or `{"rows": [...]}`.

    Args:
        scorer: Holds the model.
        max_rows: Rows that one request may hold.
        taps: Are handed rows and answers.
    """

    def __init__(self, scorer: Scorer, max_rows: int, taps: Sequence[Tap] = ()) -> None:
        self._scorer, self._max_rows, self._taps = scorer, max_rows, tuple(taps)
        self.contract = scorer.contract
        self.version = scorer.contract.model_version
        self._counting = threading.Lock()
        self._statuses: Counter[int] = Counter()
        self._rows = 0

    def answer(self, body: bytes) -> Answer:
        """Return 200 with answers, 400 for no JSON, 413 for too many rows, 422 for rows that may not pass."""
        answer, rows = self._answer(body)
        with self._counting:
            self._statuses[answer.status] += 1
            self._rows += rows
        return answer

    def encode(self, value: Any) -> bytes:
        """Return a value as JSON."""
        return _encode(value)

    def counts(self) -> list[str]:
        """Return what was counted, as lines for Prometheus."""
        with self._counting:
            statuses, rows = dict(self._statuses), self._rows
        return [
            "# TYPE mlspec_requests_total counter",
            *(
                f'mlspec_requests_total{{status="{status}"}} {count}'
                for status, count in sorted(statuses.items())
            ),
            "# TYPE mlspec_rows_total counter",
            f"mlspec_rows_total {rows}",
        ]

    def _answer(self, body: bytes) -> tuple[Answer, int]:
        try:
            value = strict_json(body)
        except NotJson as fault:
            return error(400, fault.what, **({"fix": fault.fix} if fault.fix else {})), 0
        rows, many = _rows(value)
        if rows is None:
            what = 'expected a row (an object with the model\'s columns), a list of rows, or {"rows": [...]}'
            return error(422, what), 0
        if len(rows) > self._max_rows:
            return error(
                413, f"{len(rows)} rows are more than the {self._max_rows} that one request may hold"
            ), 0
        try:
            batch = to_batch(rows, self.contract)
            answers = self._scorer.score(batch)
        except BadRows as fault:
            return _refused(fault), 0
        told = _told(answers, self.contract.target.classes)
        if told is None:
            return error(500, "the model's answer is no finite number"), 0
        for tap in self._taps:
            tap.put(rows if len(rows) <= FEW else batch, answers)
        content = {"predictions": told} if many else told[0]
        return Answer(200, _encode({**content, "model_version": self.version})), len(rows)


def _rows(value: Any) -> tuple[list[Any] | None, bool]:
    """Return the rows of a body and whether it was a list; a value of a column is never a list."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("rows"), list):
            return value["rows"], True
        return [value], False
    return (value, True) if isinstance(value, list) else (None, False)


def _told(answers: pa.RecordBatch, classes: tuple[str, ...]) -> list[dict[str, Any]] | None:
    numbers = [column.to_numpy() for column in answers.columns[0 if not classes else 1 :]]
    if not all(np.isfinite(column).all() for column in numbers):
        return None
    if not classes:
        return [{"value": value} for value in numbers[0].tolist()]
    shares = zip(*(column.tolist() for column in numbers), strict=True)
    return [
        {"label": label, "probabilities": dict(zip(classes, share, strict=True))}
        for label, share in zip(answers.column(0).to_pylist(), shares, strict=True)
    ]


def _refused(fault: BadRows) -> Answer:
    faults = [
        {"row": value.row, "column": value.column or None, "reason": value.reason}
        for value in fault.values[:TOLD]
    ]
    more = len(fault.values) - len(faults)
    first = fault.values[0]
    place = ", ".join(
        ([] if first.row is None else [f"row {first.row}"])
        + ([f"column '{first.column}'"] if first.column else [])
    )
    what = f"{place}: {first.reason}" + (
        f" (and {len(fault.values) - 1} more)" if len(fault.values) > 1 else ""
    )
    return error(422, what, faults=faults, **({"more": more} if more else {}))


def _encode(value: Any) -> bytes:
    # A key of a request may hold a lone surrogate: told back as the escape that it came as.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )
