"""Two-valued columns, held to pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlspec.errors import StepError
from tests.encoded import encoded
from tests.hostile import legal


def test_booleans_equal_pandas_on_hostile_rows() -> None:
    train, asked = legal(seed=1).column("flag"), legal(seed=2).column("flag")
    found, known = encoded("binary", train, asked, "boolean")
    share = train.to_pandas().astype("boolean").mean()
    expected = asked.to_pandas().astype("boolean").astype("Float64").fillna(share).to_numpy(float)
    np.testing.assert_array_equal(found["x"], expected.astype(np.float32))
    np.testing.assert_array_equal(found["x is null"], asked.is_null().to_numpy(zero_copy_only=False))
    assert known.number_names == ("x", "x is null")


def test_words_in_two_spellings_equal_pandas_on_hostile_rows() -> None:
    train, asked = legal(seed=1).column("word"), legal(seed=2).column("word")
    found, _ = encoded({"kind": "binary", "positive": "yes"}, train, asked, "string")
    share = (train.to_pandas().dropna() == "yes").mean()
    values = asked.to_pandas()
    expected = pd.Series(values == "yes", dtype=float).where(values.notna(), share)
    np.testing.assert_array_equal(found["x"], expected.astype(np.float32))


def test_a_new_value_is_as_likely_one_as_training_was() -> None:
    found, known = encoded(
        "binary", pa.array(["n", "y", "y", "y"]), pa.array(["n", "y", "z", "", None]), "string"
    )
    assert found["x"].tolist() == [0, 1, 0.75, 0.75, 0.75]
    assert known.number_names == ("x",)


@pytest.mark.parametrize(
    ("train", "asked", "held", "expected"),
    [
        (pa.array([0, 1, 1]), pa.array([1, 0]), "integer", [1, 0]),
        (pa.array(["a", "a"]), pa.array(["a", "b"]), "string", [1, 1]),
        (pa.nulls(2, pa.bool_()), pa.array([True, None]), "boolean", [0, 0]),
    ],
    ids=["integers", "one value", "nothing"],
)
def test_unusual_columns(train: pa.Array, asked: pa.Array, held: str, expected: list[float]) -> None:
    found, _ = encoded("binary", train, asked, held)
    assert found["x"].tolist() == expected


@pytest.mark.parametrize(
    ("option", "values", "word"),
    [
        ("binary", ["a", "b", "c"], "column 'x' has 3 values"),
        ({"kind": "binary", "positive": "c"}, ["a", "b"], "no value 'c'"),
    ],
)
def test_what_is_not_two_valued_is_refused_by_name(option: object, values: list[str], word: str) -> None:
    with pytest.raises(StepError, match=word) as caught:
        encoded(option, pa.array(values), pa.array(values), "string")
    assert caught.value.where == "data.features.x"
    assert caught.value.fix
