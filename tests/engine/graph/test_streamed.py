"""Rows that stream by give the bounds and sums that a database finds."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest

from mlspec.engine.graph import moments, streamed
from mlspec.engine.graph.moments import bound_aggregates, finite, first, grid
from mlspec.engine.graph.streamed import streamed_bounds, streamed_sums

KINDS = ("near", "far", "halves", "odd", "equal", "empty")


def table(rows: int = 5_000) -> ibis.Table:
    rng = np.random.default_rng(2)
    halves = np.r_[-8.0, 8.0, rng.integers(-16, 16, rows - 2) / 2] * 2.0**-37
    columns = {
        "near": rng.normal(0, 1, rows).round(4),
        "far": 1e15 + rng.normal(0, 1e3, rows),
        "halves": halves,
        "odd": np.where(rng.random(rows) < 0.3, rng.choice([np.nan, np.inf, -np.inf], rows), 1 / 3),
        "equal": np.full(rows, -0.0),
        "empty": np.full(rows, np.nan),
    }
    columns["odd"][:2] = 5e-324, 1.7e308
    gaps = rng.random(rows) < 0.1
    return ibis.memtable(pa.table({name: pa.array(values, mask=gaps) for name, values in columns.items()}))


@pytest.mark.parametrize("cells", [2**19, 1])
def test_bounds_and_sums_are_those_of_a_query(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "CELLS", cells)
    rows = table()
    numbers = {name: rows[name] for name in KINDS}
    known = first(rows, bound_aggregates({name: finite(rows[name]) for name in KINDS}))
    assert streamed_bounds(rows, numbers) == known
    # A step of a half makes halves, which databases round away from zero.
    grids = {
        name: grid(known[f"{name}.low"], known[f"{name}.high"]) for name in ("near", "far", "halves", "odd")
    }
    grids["halves"] = (0.0, 2.0**-37)
    found = streamed_sums(rows, numbers, grids)
    assert found == moments._asked_sums(rows, numbers, grids)
    values = rows.halves.to_pyarrow().drop_null().to_numpy() * 2.0**37
    assert found["halves"][0] == sum(int(np.sign(value) * np.floor(abs(value) + 0.5)) for value in values)


def test_no_column_reads_nothing() -> None:
    assert streamed_bounds(table(), {}) == streamed_sums(table(), {}, {}) == {}
