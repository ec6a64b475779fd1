"""Exact sums: right to the last digits, and the same whatever the order of the rows."""

from __future__ import annotations

import math
import statistics

import ibis
import numpy as np
import pyarrow as pa
import pytest

from mlspec.engine.graph.moments import moments


def found(values: object) -> dict[str, float | None]:
    table = ibis.memtable(pa.table({"x": pa.array(values, pa.float64(), from_pandas=True)}))
    return moments(table, {"x": table.x})["x"].as_dict()


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_exact_arithmetic(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(10.0 ** rng.integers(-30, 30), 10.0 ** rng.integers(-30, 30), 3_000)
    told = found(values)
    assert told["mean"] == pytest.approx(math.fsum(values) / 3_000, rel=1e-12)
    assert told["std"] == pytest.approx(statistics.pstdev(values.tolist()), rel=1e-9)
    assert (told["low"], told["high"]) == (values.min(), values.max())


def test_whole_numbers_are_counted_without_any_error() -> None:
    values = np.random.default_rng(0).integers(0, 1000, 10_001).astype(float)
    assert found(values)["mean"] == statistics.mean(int(value) for value in values)


def test_the_order_of_rows_and_the_number_of_threads_change_nothing() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1e6, 300_000), rng.normal(0, 1e-3, 300_000)])
    connection = ibis.duckdb.connect()
    told = set()
    for threads in (1, 2, 4):
        connection.raw_sql(f"SET threads = {threads}")
        connection.con.register("shuffled", pa.table({"x": rng.permutation(values)}))
        table = connection.table("shuffled")
        told.add(tuple(moments(table, {"x": table.x})["x"].as_dict().items()))
    assert len(told) == 1


def test_nulls_nan_and_infinity_are_left_out() -> None:
    assert found([None, float("nan"), float("inf"), 1.0, 3.0]) == {"low": 1, "high": 3, "mean": 2, "std": 1}
    assert found([None]) == dict.fromkeys(("low", "high", "mean", "std"))
    assert found([]) == dict.fromkeys(("low", "high", "mean", "std"))


@pytest.mark.parametrize(
    "values",
    [[1.7976931348623157e308, -1.7976931348623157e308], [5e-324, 1e-323], [1e300, 1e-300], [0.1, 0.1]],
)
def test_the_ends_of_float64_stay_finite(values: list[float]) -> None:
    told = found(values)
    assert all(value is not None and math.isfinite(value) for value in told.values())
    assert told["mean"] == pytest.approx(values[0] / 2 + values[1] / 2, rel=1e-12, abs=1e-323)


def test_columns_of_a_big_far_off_range_keep_their_deviation() -> None:
    values = 1.7e15 + np.arange(1000.0)
    assert found(values)["std"] == pytest.approx(np.arange(1000.0).std(), rel=1e-9)
