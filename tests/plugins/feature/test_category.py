"""Categories, held to pandas and to scikit-learn's encoder."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.preprocessing import OrdinalEncoder

from tests.encoded import encoded
from tests.hostile import legal

TRAIN, ASKED = legal(seed=1).column("text"), legal(seed=2).column("text")


def codes(values: pd.Series, min_count: int, max_size: int) -> dict[str, int]:
    """Return the code of each value, by pandas: the most frequent first, equals by value."""
    counted = values.map(lambda text: unicodedata.normalize("NFC", text)).value_counts()
    table = pd.DataFrame({"rows": counted, "value": counted.index}).sort_values(
        ["rows", "value"], ascending=[False, True]
    )
    return {value: 2 + place for place, value in enumerate(table[table.rows >= min_count].value[:max_size])}


@pytest.mark.parametrize(("min_count", "max_size"), [(1, 1000), (250, 1000), (1, 7)])
def test_codes_equal_those_of_pandas_on_hostile_rows(min_count: int, max_size: int) -> None:
    option = {"kind": "category", "min_count": min_count, "max_size": max_size}
    found, known = encoded(option, TRAIN, ASKED, "string")
    expected = codes(TRAIN.to_pandas().dropna(), min_count, max_size)
    wanted = [
        1 if text is None else expected.get(unicodedata.normalize("NFC", text), 0)
        for text in ASKED.to_pylist()
    ]
    # a spelling that is neither composed nor decomposed is known only where training saw it; here it saw all
    np.testing.assert_array_equal(found["x"], wanted)
    assert known.sizes == (2 + len(expected),)
    assert {0, 1, 2} <= set(found["x"].tolist()) or min_count == 1


def test_integers_are_coded_as_scikit_learn_codes_them() -> None:
    train, asked = legal(seed=1).column("code"), legal(seed=2).column("code")
    found, known = encoded("category", train, asked, "integer")
    values = train.drop_null().to_numpy()
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(values.reshape(-1, 1))
    valid = asked.is_valid().to_numpy(zero_copy_only=False)
    theirs = encoder.transform(asked.drop_null().to_numpy().reshape(-1, 1))[:, 0]
    ours = found["x"][valid]
    assert (found["x"][~valid] == 1).all()
    np.testing.assert_array_equal(ours == 0, theirs == -1)
    pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len({code for code, _ in pairs}) == len({code for _, code in pairs})
    assert known.sizes == (2 + len(encoder.categories_[0]),)


def test_composed_and_decomposed_spellings_have_one_code_whichever_was_seen() -> None:
    for seen in ("caf\u00e9", "cafe\u0301"):
        found, _ = encoded(
            "category", pa.array([seen, "a"]), pa.array(["caf\u00e9", "cafe\u0301", "cafe"]), "string"
        )
        assert found["x"][0] == found["x"][1] >= 2
        assert found["x"][2] == 0


def test_a_spelling_of_its_own_that_training_saw_is_known() -> None:
    mixed = "s\u0307\u0323"  # neither NFC nor NFD
    train = pa.array([mixed, "\u1e69", "a", "a", "a"])
    found, known = encoded(
        {"kind": "category", "min_count": 2}, train, pa.array([mixed, "\u1e69", "s\u0323\u0307"]), "string"
    )
    assert found["x"].tolist() == [3, 3, 3]
    assert known.sizes == (4,)


def test_empty_text_and_words_for_null_are_values() -> None:
    train = pa.array(["", "", "NaN", None, "null"])
    found, _ = encoded("category", train, pa.array(["", "NaN", "null", None, "None"]), "string")
    assert found["x"].tolist() == [2, 3, 4, 1, 0]


def test_booleans_can_be_categories() -> None:
    found, _ = encoded("category", pa.array([True, False, True]), pa.array([True, False, None]), "boolean")
    assert found["x"].tolist() == [2, 3, 1]


def test_a_column_of_nulls_has_two_codes() -> None:
    found, known = encoded("category", pa.nulls(3, pa.string()), pa.array(["a", None]), "string")
    assert (found["x"].tolist(), known.sizes) == ([0, 1], (2,))


@settings(max_examples=60, deadline=None)
@given(
    some.lists(
        some.one_of(
            some.none(),
            some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0\ufdd0"), max_size=4),
        )
    ),
    some.integers(1, 3),
)
def test_whatever_training_saw_often_enough_has_a_code(values: list[str | None], min_count: int) -> None:
    column = pa.array([*values, None], pa.string())
    found, known = encoded({"kind": "category", "min_count": min_count}, column, column, "string")
    expected = codes(pd.Series([v for v in values if v is not None], dtype=object), min_count, 1000)
    wanted = [
        1 if v is None else expected.get(unicodedata.normalize("NFC", v), 0) for v in column.to_pylist()
    ]
    assert found["x"].tolist() == wanted
    assert max(found["x"]) < known.sizes[0]
