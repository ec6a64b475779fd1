"""What trees are given of encoded rows, in numpy and in a graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded


def table_of(train: Encoded, inputs: ModelInputs) -> NDArray[np.float32]:
    """Return what each code of each column is for the trees: itself, or NaN where no training row held it.

    A tree sends NaN to the side on which most training rows went, so a value that was never seen is answered
    like the usual one instead of like its neighbour in the order of codes.
    """
    parts = []
    for place, size in enumerate(inputs.sizes):
        seen = np.bincount(train.codes[:, place], minlength=size) > 0
        parts.append(np.where(seen, np.arange(size), np.nan))
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def _offsets(inputs: ModelInputs) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(inputs.sizes)])[:-1].astype(np.int64)


def rows_of(rows: Encoded, table: NDArray[np.float32], inputs: ModelInputs) -> NDArray[np.float32]:
    """Return what trees are given of encoded rows, `[rows, numbers + code columns] float32`."""
    if not inputs.sizes:
        return rows.numbers
    return np.concatenate([rows.numbers, table[rows.codes + _offsets(inputs)]], axis=1)


def append_rows(builder: Builder, table: NDArray[np.float32], inputs: ModelInputs) -> str:
    """Declare a model's inputs, append the same in a graph, and return the name of the rows."""
    rows = builder.input(NUMBERS, "float32", ("rows", inputs.numbers))
    codes = builder.input(CODES, "int64", ("rows", len(inputs.sizes)))
    if not inputs.sizes:
        return rows
    lines = builder.node("Add", codes, builder.constant(_offsets(inputs)))
    return builder.node("Concat", rows, builder.node("Gather", builder.constant(table), lines), axis=1)


def check_classes(train: Encoded, target: FittedTarget) -> None:
    """Look whether every class can be learnt.

    Raises:
        StepError: a class has no training row.
    """
    if target.kind == "number":
        return
    present = np.bincount(train.target.astype(np.int64), minlength=len(target.classes))
    for label, rows in zip(target.classes, present, strict=True):
        if not rows:
            raise StepError(f"no training row is of the class '{label}'", where="data.target")
