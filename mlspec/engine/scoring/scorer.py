"""Answers of an exported file, for one batch or for any number of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.door import BadRows, BadValue
from mlspec.engine.exporting.artifact import read_artifact
from mlspec.engine.graph.session import Session
from mlspec.sdk.contract import Contract

BATCH = 8_192
"""Rows of a call: larger ones cost memory (2.5-5 KB a row) and gain nothing."""


@dataclass(frozen=True)
class Scored:
    """Some rows in the order they came, and what the file says to them."""

    rows: pa.RecordBatch
    """The rows that were answered, with every column that came along."""
    answers: pa.RecordBatch
    refused: pa.RecordBatch
    """The rows that the door refused."""
    reasons: tuple[str, ...] = ()
    """Why, for each refused row, with the column."""


class Scorer:
    """Opens an exported file and answers rows.

    Answers are the columns `label` and one `probability_<class>` a class (float32), or `value` (float64).
    Safe to call from several threads.

    Args:
        model: A `.onnx` file that mlspec exported; its contract stands in its metadata or in `contract.json`
            beside it.

    Raises:
        MissingError: there is no such file, or no contract in or beside it.
        StepError: the file is no model that mlspec exported.
    """

    def __init__(self, model: Path) -> None:
        artifact = read_artifact(model)
        self.contract: Contract = artifact.contract
        self._session = Session(
            artifact.content, self.contract.inputs, [out.name for out in self.contract.outputs]
        )
        self.schema = answer_schema(self.contract)
        self._inputs = [column.name for column in self.contract.inputs]

    def tensors(self, rows: pa.RecordBatch) -> Mapping[str, NDArray[Any]]:
        """Return the file's named outputs as arrays.

        Raises:
            BadRows: rows that the door refuses, or a column that is missing.
        """
        names = rows.schema.names
        if names != self._inputs:
            here = set(names)
            rows = rows.select([name for name in self._inputs if name in here])
        return self._session.run(rows)

    def score(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return the answers to some rows, one a row, in their order; other columns are not looked at.

        Raises:
            BadRows: rows that the door refuses, or a column that is missing.
        """
        return self._answers(self.tensors(rows))

    def score_many(self, batches: Iterable[pa.RecordBatch], threads: int | None = None) -> Iterator[Scored]:
        """Yield rows with their answers, in order, in batches of at most `BATCH` rows, scored in parallel.

        At most two batches a thread are in memory. Rows that the door refuses are told, not raised.

        Args:
            batches: Rows with at least the input columns.
            threads: Batches at once; the cores this process may use where absent.

        Raises:
            BadRows: a column is missing.
        """
        threads = threads or len(os.sched_getaffinity(0))
        waiting: deque[Future[Scored]] = deque()
        with ThreadPoolExecutor(threads, "mlspec-score") as pool:
            try:
                for batch in _even(batches):
                    waiting.append(pool.submit(self._scored, batch))
                    if len(waiting) >= 2 * threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for task in waiting:
                    task.cancel()

    def _scored(self, rows: pa.RecordBatch) -> Scored:
        try:
            return Scored(rows, self.score(rows), rows.slice(0, 0))
        except BadRows as error:
            if any(value.row is None for value in error.values):
                raise
            reasons = _by_row(error.values)
        bad = np.zeros(rows.num_rows, bool)
        bad[list(reasons)] = True
        kept = rows.filter(pa.array(~bad))
        texts = tuple(reasons[row] for row in sorted(reasons))
        return Scored(kept, self.score(kept), rows.filter(pa.array(bad)), texts)

    def _answers(self, tensors: Mapping[str, NDArray[Any]]) -> pa.RecordBatch:
        if "value" in tensors:
            columns = [pa.array(tensors["value"])]
        else:
            shares = tensors["probabilities"]
            columns = [pa.array(tensors["label"], pa.string())]
            columns += [pa.array(np.ascontiguousarray(shares[:, code])) for code in range(shares.shape[1])]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def answer_names(contract: Contract) -> tuple[str, ...]:
    """Return the names of the columns that a scorer answers with."""
    if contract.target.kind == "number":
        return ("value",)
    return ("label", *(f"probability_{name}" for name in contract.target.classes))


def answer_schema(contract: Contract) -> pa.Schema:
    """Return the columns that a scorer answers with."""
    types = {"label": pa.string(), "value": pa.float64()}
    return pa.schema([(name, types.get(name, pa.float32())) for name in answer_names(contract)])


def _by_row(values: Iterable[BadValue]) -> dict[int, str]:
    reasons: dict[int, str] = {}
    for value in values:
        assert value.row is not None
        text = f"column '{value.column}': {value.reason}"
        reasons[value.row] = f"{reasons[value.row]}; {text}" if value.row in reasons else text
    return reasons


def _even(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in batches of `BATCH`; many small ones are put together, large ones are cut."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, BATCH - rows)
            held.append(part)
            rows += part.num_rows
            batch = batch.slice(part.num_rows)
            if rows == BATCH:
                yield held[0] if len(held) == 1 else pa.concat_batches(held)
                held, rows = [], 0
    if held:
        yield pa.concat_batches(held)
