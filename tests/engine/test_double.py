"""A constant in a query is the very number."""

from __future__ import annotations

import struct

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlspec.engine.double import double


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None)
def test_every_float_is_itself(value: float) -> None:
    found = ibis.duckdb.connect().execute(double(value))
    assert struct.pack("d", found) == struct.pack("d", value)


@pytest.mark.parametrize("value", [-0.09027529589850945, 0.1, 1e300, 5e-324])
def test_a_bound_is_no_less_than_itself(value: float) -> None:
    rows = ibis.memtable({"x": [value]})
    found = ibis.duckdb.connect().execute(((rows.x < double(value)) | (rows.x > double(value))).sum())
    assert found == 0
