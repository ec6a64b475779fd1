"""Rows with known truth, answered by an exported file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.on_disk import chosen_rows
from mlspec.errors import StepError
from mlspec.sdk.contract import Contract
from mlspec.sdk.metric import Answers


@dataclass(frozen=True)
class Judged:
    """Answers beside the truth."""

    answers: Answers
    classes: tuple[str, ...]
    """Labels in the order of the codes."""

    def of(self, chosen: NDArray[np.bool_]) -> Answers:
        """Return the answers of some rows."""
        found = self.answers
        columns = (found.truth, found.probabilities, found.labels, found.values, found.weight)
        kept = (None if column is None else chosen_rows(column, chosen) for column in columns)
        return Answers(found.kind, *kept)  # type: ignore[arg-type]


def judged(
    contract: Contract, answers: pa.Table, truth: pa.ChunkedArray, weight: pa.ChunkedArray | None
) -> Judged:
    """Return the answers of a file beside the truth.

    Args:
        contract: Of the file.
        answers: What a scorer gave.
        truth: The target column of the same rows.
        weight: Their weights, or None.

    Raises:
        StepError: a row has no truth, or one that the target cannot have.
    """
    if truth.null_count:
        raise StepError(f"{truth.null_count} rows have no '{contract.target.column}' to be judged by")
    weights = None if weight is None else _numbers(weight)
    kind, classes = contract.target.kind, contract.target.classes
    if kind == "number":
        return Judged(
            Answers(kind, _numbers(truth), None, None, _numbers(answers.column("value")), weights), ()
        )
    shares = np.stack([_numbers(answers.column(f"probability_{name}")) for name in classes], axis=1)
    labels = _codes(answers.column("label"), contract)
    found = Answers(kind, _codes(truth, contract).astype(np.float64), shares, labels, None, weights)
    return Judged(found, classes)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _codes(labels: pa.ChunkedArray, contract: Contract) -> NDArray[np.int64]:
    codes = pc.index_in(labels.cast(pa.string()), pa.array(contract.target.classes, pa.string()))
    if codes.null_count:
        label = labels.filter(pc.is_null(codes))[0].as_py()
        raise StepError(f"'{contract.target.column}' holds '{label}', which no training row does")
    found: NDArray[np.int64] = codes.to_numpy().astype(np.int64)
    return found
