"""Numbers become float32 as numpy makes them, and no database overflows on the way."""

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlspec.engine.querying.dialect import DUCKDB
from mlspec.engine.querying.render import render
from mlspec.engine.querying.scaled import real
from mlspec.engine.querying.term import Terms

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=150, deadline=None)
@given(
    FINITE, FINITE,
    st.floats(1e-307, 1e307), st.sampled_from([1e6, 10.0, 0.0]),
)  # fmt: skip
def test_it_is_what_the_graph_reckons(x: float, centre: float, factor: float, bound: float) -> None:
    terms = Terms()
    column = terms.of("column", value="x")
    term = terms.of("sub", column, terms.constant(centre))
    term = terms.of("mul", term, terms.constant(factor))
    term = terms.of("max", term, terms.constant(-bound))
    made = real(terms, terms.of("min", term, terms.constant(bound)))
    text = render(made, ["x"], DUCKDB)
    with np.errstate(over="ignore", under="ignore"):
        expected = np.float32(np.clip((np.float64(x) - centre) * factor, -bound, bound))
    found = duckdb.execute(f"SELECT {text} FROM (SELECT CAST(? AS float8) AS x)", [x]).fetchone()
    assert found is not None and np.float32(found[0]) == expected


@pytest.mark.parametrize("value", [0.0, 1e-46, 7.1e-46, 1.5, -3e38, -1e-60])
def test_any_other_number_is_rounded(value: float) -> None:
    terms = Terms()
    text = render(real(terms, terms.of("add", terms.constant(0.0), terms.constant(0.0))), ["x"], DUCKDB)
    found = duckdb.execute(f"SELECT {text} FROM (SELECT CAST(? AS float8) AS x)", [value]).fetchone()
    assert found is not None and np.float32(found[0]) == np.float32(value)
