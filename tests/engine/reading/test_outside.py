"""Texts that are not on a list, against Python's own look-up."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from mlspec.engine.reading.outside import outside

TEXTS = ["a", "", "it's", 'b"c', "é", "e\u0301", "A", " a", "a\nb", "\\", "null", "1e5", "🙂", "x" * 5000]


@pytest.mark.parametrize("values", [TEXTS[:1], TEXTS[:6], TEXTS, ["elsewhere"], ["", "null"]])
@pytest.mark.parametrize("coded", [False, True])
def test_it_is_what_a_look_up_says_and_null_for_null(values: list[str], coded: bool) -> None:
    column = pa.array([*TEXTS, None] * 3, pa.string())
    connection = ibis.duckdb.connect()
    connection.con.register("rows", pa.table({"x": column.dictionary_encode() if coded else column}))
    table = connection.table("rows")
    found = table.select(x=table.x, out=outside(table.x, values)).to_pyarrow().to_pylist()
    assert len(found) == len(column)
    for row in found:
        assert row["out"] == (None if row["x"] is None else row["x"] not in values)
