"""Sums over encoded rows that are here, by one SQL query."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.querying.dialect import number
from mlspec.engine.training.weights import mean_weight, standardised
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.sums import WIDEST, Sums

_PILOT = 10_000
"""Rows whose means and spreads the numbers are moved and scaled by before they are multiplied."""


def row_sums(rows: Encoded, inputs: ModelInputs, target: FittedTarget) -> Sums:
    """Return the sums that least squares needs.

    Args:
        rows: Encoded training rows.
        inputs: Their shape.
        target: A number; it is standardised.

    Raises:
        StepError: there are no rows, no weight, or more columns than can be solved for.
    """
    width = inputs.numbers + sum(inputs.sizes)
    if not rows.rows:
        raise StepError("no row is in the training split", fix="set data.split.train above 0")
    if width > WIDEST:
        raise StepError(
            f"normal equations of {width} numbers and codes are too many for this machine",
            where="model.solver",
            fix=f"lower max_size of the categories until there are {WIDEST}, or leave solver out",
        )
    mean_weight(rows, None)
    pilot = np.asarray(rows.numbers[:_PILOT], np.float64)
    centre, spread = pilot.mean(axis=0), pilot.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    table, right = _sums(rows, inputs, target, centre, spread)
    counts = [np.bincount(rows.codes[:, at], minlength=size) for at, size in enumerate(inputs.sizes)]
    told = np.concatenate([np.zeros(0, np.int64), *counts]).astype(np.int64)
    return Sums(table, right, centre, spread, told, rows.rows)


def _sums(
    rows: Encoded,
    inputs: ModelInputs,
    target: FittedTarget,
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return X'WX and X'Wy, where X is a one, the moved numbers, and an indicator of each code."""
    count = inputs.numbers
    first = 1 + count + np.concatenate([[0], np.cumsum(inputs.sizes)]).astype(np.int64)
    table: NDArray[np.float64] = np.zeros((first[-1], first[-1]))
    right: NDArray[np.float64] = np.zeros(first[-1])
    for left, other, code, beside, sums in _asked(rows, inputs, target, centre, spread):
        if left < 0:
            right[: 1 + count] = sums[: 1 + count]
            table[np.triu_indices(1 + count)] = sums[1 + count :]
        elif other < 0:
            place = first[left] + code
            right[place] = sums[0]
            table[: 1 + count, place] = sums[1:]
            table[place, place] = sums[1]
        else:
            table[first[left] + code, first[other] + beside] = sums[0]
    return np.triu(table) + np.triu(table, 1).T, right


def _asked(
    rows: Encoded,
    inputs: ModelInputs,
    target: FittedTarget,
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> list[tuple[int, int, int, int, list[float]]]:
    """Return the sums of one query: over all rows, over those of each code, and of each pair of codes."""
    arrays: dict[str, NDArray[Any]] = {
        f"n{place}": np.ascontiguousarray(rows.numbers[:, place]) for place in range(inputs.numbers)
    }
    arrays |= {f"c{place}": np.ascontiguousarray(rows.codes[:, place]) for place in range(len(inputs.sizes))}
    arrays["y"] = standardised(rows, target)
    if rows.weight is not None:
        arrays["w"] = np.ascontiguousarray(rows.weight)
    moved = [
        f"((n{place} - {number(middle)}) / {number(scale)})"
        for place, (middle, scale) in enumerate(zip(centre.tolist(), spread.tolist(), strict=True))
    ]
    words = ["1", *moved]
    weight = "CAST(w AS DOUBLE)" if rows.weight is not None else "1.0"
    inner = ", ".join([f"{word} AS x{place}" for place, word in enumerate(words)])
    codes = "".join(f", c{place}" for place in range(len(inputs.sizes)))
    products = [f"w * x{one} * x{two}" for one in range(len(words)) for two in range(one, len(words))]
    whole = _list([*(f"w * x{place} * y" for place in range(len(words))), *products])
    each = _list(["w * y", *(f"w * x{place}" for place in range(len(words)))])
    parts = [f"SELECT -1, -1, 0, 0, {whole} FROM moved"]
    for place in range(len(inputs.sizes)):
        parts.append(f"SELECT {place}, -1, c{place}, 0, {each} FROM moved GROUP BY c{place}")
    for one, two in combinations(range(len(inputs.sizes)), 2):
        parts.append(
            f"SELECT {one}, {two}, c{one}, c{two}, {_list(['w'])} FROM moved GROUP BY c{one}, c{two}"
        )
    query = f"WITH moved AS (SELECT {weight} AS w, y, {inner}{codes} FROM rows) {' UNION ALL '.join(parts)}"
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 1")
        connection.execute("SET enable_external_access = false")
        connection.register("rows", pa.table(arrays))
        found: list[tuple[int, int, int, int, list[float]]] = connection.execute(query).fetchall()
        return found


def _list(sums: list[str]) -> str:
    """Return sums that lose no digits over many rows, as one list."""
    return f"[{', '.join(f'fsum({word})' for word in sums)}]"
