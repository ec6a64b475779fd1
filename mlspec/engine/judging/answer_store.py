"""Answers beside the truth, on disk while they are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.judging.judged import Judged, judged
from mlspec.engine.on_disk import on_disk
from mlspec.sdk.contract import Contract
from mlspec.sdk.metric import Answers


class AnswerStore:
    """Keeps what a file says to rows of known truth in memory-mapped files: measures see all rows at once,
    and the system holds of them what it has room for.

    Args:
        folder: Where the files lie; they are scratch.
        contract: Of the file.
        rows: How many there will be.
        weighted: Whether rows have weights.
    """

    def __init__(self, folder: Path, contract: Contract, rows: int, *, weighted: bool) -> None:
        self._contract, self._done = contract, 0
        classes = len(contract.target.classes)
        number = contract.target.kind == "number"
        self._truth = on_disk(folder, (rows,), np.float64)
        self._weight = on_disk(folder, (rows,), np.float64) if weighted else None
        self._values = on_disk(folder, (rows,), np.float64) if number else None
        self._labels = None if number else on_disk(folder, (rows,), np.int64)
        # A class after the other, so that each lies in one piece.
        self._shares = None if number else on_disk(folder, (classes, rows), np.float64).T

    def add(self, answers: pa.RecordBatch, truth: pa.Array, weight: pa.Array | None) -> None:
        """Keep the answers to the rows that come next.

        Raises:
            StepError: a row has no truth, or one that the target cannot have.
        """
        known = None if weight is None else pa.chunked_array([weight])
        told = judged(self._contract, pa.table(answers), pa.chunked_array([truth]), known).answers
        here = slice(self._done, self._done + answers.num_rows)
        for store, found in (
            (self._truth, told.truth),
            (self._weight, told.weight),
            (self._values, told.values),
            (self._labels, told.labels),
            (self._shares, told.probabilities),
        ):
            if store is not None:
                store[here] = found
        self._done = here.stop

    def judged(self) -> Judged:
        """Return all of it; the arrays are those on disk."""
        target = self._contract.target
        found = Answers(target.kind, self._truth, self._shares, self._labels, self._values, self._weight)
        return Judged(found, target.classes)

    def columns(self) -> Iterator[tuple[str, pa.ChunkedArray | NDArray[np.float64]]]:
        """Yield each column of the answers and its name, as a scorer gives them."""
        if self._values is not None:
            yield "value", self._values
        if self._labels is not None and self._shares is not None:
            classes = self._contract.target.classes
            words = pa.DictionaryArray.from_arrays(pa.array(self._labels), pa.array(classes, pa.string()))
            yield "label", pa.chunked_array([words])
            for code, name in enumerate(classes):
                yield f"probability_{name}", self._shares[:, code]
