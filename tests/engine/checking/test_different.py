"""Different rows, counted by bits and by groups, against a set of Python's."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlspec.engine.checking import different as module
from mlspec.engine.checking.different import different
from mlspec.engine.graph.moments import first

LEAST, MOST = -(2**63), 2**63 - 1
DENSE: tuple[tuple[pa.DataType, list[int | None]], ...] = (
    (pa.int64(), [3, 1, 2, 3, 1, 3]),
    (pa.int64(), [7, 7, 7]),
    (pa.int64(), [None, 5, None, 5, -5]),
    (pa.int64(), [2**53, 2**53 + 1, 2**53 + 2, 2**53]),
    (pa.int64(), [MOST, MOST - 1, MOST - 63, None, MOST]),
    (pa.int64(), [LEAST, LEAST + 1, LEAST + 64, LEAST]),
    (pa.int32(), [-(2**31), -(2**31) + 9, -(2**31)]),
    (pa.int16(), [-(2**15), 2**15 - 1, None, 0, 0]),
    (pa.int8(), [-128, 127, -128, None, None]),
)
OTHERS: tuple[tuple[pa.DataType, list[Any]], ...] = (
    (pa.int64(), [None, None, None]),
    (pa.int64(), [LEAST, MOST, LEAST, None]),
    (pa.int64(), [0, module.BITS, 0]),
    (pa.uint64(), [2**64 - 1, 2**64 - 1, 2**64 - 2, 0]),
    (pa.uint8(), [1, 1, 2, None]),
    (pa.float64(), [0.0, -0.0, math.nan, math.nan, None, math.inf, -math.inf, 5e-324]),
    (pa.float64(), [2.0**53, 2.0**53 + 2, 2.0**53]),
    (pa.string(), ["a", "A", "", None, "é", "e\u0301", "a"]),
    (pa.bool_(), [True, False, True]),
    (pa.decimal128(38, 2), [Decimal("1.00"), Decimal("1.01"), None, Decimal("1.0"), Decimal("9" * 36)]),
    (pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1)]),
    (pa.timestamp("us", "UTC"), [LEAST // 4, MOST // 4, 0, LEAST // 4]),
)


def expected(*columns: list[Any]) -> int:
    """Count rows as people do: null is null, NaN is NaN, and 0.0 is -0.0."""
    plain = [["NaN" if isinstance(value, float) and math.isnan(value) else value for value in column]
             for column in columns]  # fmt: skip
    return len(set(zip(*plain, strict=True)))


def lying(folder: Path, **columns: pa.Array) -> ibis.Table:
    """Write a Parquet file of row groups of two rows, and return it where it lies."""
    parquet.write_table(pa.table(columns), folder / "t.parquet", row_group_size=2)
    found: ibis.Table = ibis.duckdb.connect().sql(f"FROM read_parquet('{folder / 't.parquet'}')")
    return found


def count(table: ibis.Table, *names: str) -> int:
    found: int = first(table, {"n": different(table, names)})["n"]
    return found


def by_bits(table: ibis.Table, *names: str) -> bool:
    return "BITSTRING_AGG" in str(ibis.to_sql(table.aggregate(n=different(table, names)))).upper()


@pytest.mark.parametrize(("dtype", "values"), [*DENSE, *OTHERS], ids=lambda value: str(value)[:30])
def test_they_are_those_of_a_set_in_a_file_and_in_a_table(
    tmp_path: Path, dtype: pa.DataType, values: list[Any]
) -> None:
    held = pa.array(values, dtype)
    here = lying(tmp_path, x=held, y=pa.array(range(len(values))))
    kept = here.get_backend()
    kept.con.execute("CREATE TABLE kept AS FROM read_parquet($1)", [str(tmp_path / "t.parquet")])
    for table in (here, kept.table("kept")):
        assert count(table, "x") == expected(values)
        assert count(table, "x", "y") == len(values)
        none = table.filter(table.y < 0)
        assert count(none, "x") == 0
        some = table.filter(table.y > 0)
        assert count(some, "x") == expected(values[1:])


@pytest.mark.parametrize(("dtype", "values"), DENSE, ids=str)
def test_whole_numbers_near_each_other_have_a_bit_each(
    tmp_path: Path, dtype: pa.DataType, values: list[int | None]
) -> None:
    assert by_bits(lying(tmp_path, x=pa.array(values, dtype)), "x")


@pytest.mark.parametrize(("dtype", "values"), OTHERS, ids=lambda value: str(value)[:30])
def test_all_others_are_counted_by_groups(tmp_path: Path, dtype: pa.DataType, values: list[Any]) -> None:
    assert not by_bits(lying(tmp_path, x=pa.array(values, dtype)), "x")


def test_many_keys_with_gaps_and_repetitions_on_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(5)
    values = random.integers(-(10**6), 10**6, 300_000)
    empty = random.random(len(values)) < 0.01
    held = pa.array(values, mask=empty)
    parquet.write_table(pa.table({"x": held}), tmp_path / "t.parquet", row_group_size=20_000)
    table = ibis.duckdb.connect(threads=2).sql(f"FROM read_parquet('{tmp_path / 't.parquet'}')")
    wanted = len(np.unique(values[~empty])) + 1
    assert by_bits(table, "x") and count(table, "x") == wanted
    monkeypatch.setattr(module, "BITS", 1000)
    assert not by_bits(table, "x") and count(table, "x") == wanted
