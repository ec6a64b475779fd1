"""Numbers, held to scikit-learn and pandas."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mlspec.plugins.feature.number import Number
from pydantic import ValidationError
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from mlspec.engine.builder import NUMBERS
from mlspec.engine.graph.features import build_features, fit_features, input_columns
from mlspec.engine.graph.session import Session
from mlspec.sdk.slot import Slot
from tests.encoded import encoded
from tests.hostile import legal

TAME = pa.array(np.random.default_rng(5).normal(40, 12, 5_000), mask=np.arange(5_000) % 9 == 0)
HOSTILE = legal().column("number")


def bounded(values: np.ndarray, farthest: float = 10) -> np.ndarray:
    return np.clip(values, -farthest, farthest).astype(np.float32)


def frame(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False).reshape(-1, 1)


@pytest.mark.parametrize("fill", ["mean", "median"])
def test_standard_scale_equals_scikit_learn_on_hostile_rows(fill: str) -> None:
    found, _ = encoded({"kind": "number", "impute": fill}, TAME, HOSTILE, "number")
    imputer = SimpleImputer(strategy=fill).fit(frame(TAME))
    # its scaler leaves nulls out of mean and deviation, as the graph does
    scaler = StandardScaler().fit(frame(TAME))
    with np.errstate(over="ignore"):
        expected = bounded(scaler.transform(imputer.transform(frame(HOSTILE))))[:, 0]
    np.testing.assert_allclose(found["x"], expected, rtol=2e-7, atol=1e-7)
    np.testing.assert_array_equal(found["x is null"], np.isnan(frame(HOSTILE)[:, 0]))


def test_minmax_equals_scikit_learn_on_hostile_rows() -> None:
    found, _ = encoded({"kind": "number", "scale": "minmax", "impute": 40}, TAME, HOSTILE, "number")
    filled = np.nan_to_num(frame(HOSTILE), nan=40.0)
    with np.errstate(over="ignore"):
        expected = bounded(MinMaxScaler().fit(frame(TAME)).transform(filled))[:, 0]
    np.testing.assert_allclose(found["x"], expected, rtol=2e-7, atol=2e-7)


def test_clip_comes_before_the_statistics_as_in_pandas() -> None:
    found, _ = encoded({"kind": "number", "clip": (30, 50.5), "impute": "median"}, TAME, HOSTILE, "number")
    train, asked = (pd.Series(frame(column)[:, 0]).clip(30, 50.5) for column in (TAME, HOSTILE))
    expected = bounded(((asked.fillna(train.median()) - train.mean()) / train.std(ddof=0)).to_numpy())
    np.testing.assert_allclose(found["x"], expected, rtol=2e-7, atol=1e-7)


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_limits_of_the_user_take_the_place_of_the_cut(scale: str) -> None:
    option = {"kind": "number", "scale": scale, "clip": (-1e4, 1e5), "impute": 40}
    found, _ = encoded(option, TAME, HOSTILE, "number")
    scaler = (StandardScaler() if scale == "standard" else MinMaxScaler()).fit(frame(TAME))
    asked = np.clip(np.nan_to_num(frame(HOSTILE), nan=40.0), -1e4, 1e5)
    np.testing.assert_allclose(
        found["x"], scaler.transform(asked)[:, 0].astype(np.float32), rtol=2e-7, atol=2e-7
    )
    assert found["x"].max() > 1000


@pytest.mark.parametrize("clip", [None, (-1e4, 1e5)])
@pytest.mark.parametrize("scale", ["standard", "minmax"])
@pytest.mark.parametrize("train", [[5.0, None, 5.0], [None, None], [7.0] * 4], ids=str)
def test_a_column_that_never_varied_in_training_stays_zero(
    train: list[float | None], scale: str, clip: tuple[float, float] | None
) -> None:
    option = {"kind": "number", "scale": scale, "impute": -3.0, "clip": clip}
    found, _ = encoded(option, pa.array(train, pa.float64()), HOSTILE, "number")
    assert not found["x"].any()


def test_each_column_of_a_block_has_its_own_bound() -> None:
    train = pa.table(
        {"steady": [1.0] * 4, "known": [0.0, 2.0] * 2, "limited": [0.0, 2.0] * 2, "raw": [0.0] * 4}
    )
    features = {
        "steady": Number(), "known": Number(), "limited": Number(clip=(-50, 50)), "raw": Number(scale="none"),
    }  # fmt: skip
    columns = fit_features(ibis.memtable(train), features)
    session = Session(
        build_features(columns).SerializeToString(), input_columns(columns, dict.fromkeys(features, "number"))
    )
    far = pa.RecordBatch.from_pydict({name: [-1e9, 1e9, None] for name in features})
    expected = [[0, -10, -51, -1e6], [0, 10, 49, 1e6], [0, 0, 0, 0]]
    np.testing.assert_array_equal(session.run(far)[NUMBERS], np.float32(expected))


def test_without_a_scale_values_pass_as_float32() -> None:
    found, _ = encoded({"kind": "number", "scale": "none", "impute": -1}, TAME, HOSTILE, "number")
    np.testing.assert_array_equal(found["x"], bounded(np.nan_to_num(frame(HOSTILE)[:, 0], nan=-1.0), 1e6))
    zeros, _ = encoded({"kind": "number", "scale": "none"}, TAME, pa.array([-0.0, 0.0]), "number")
    assert np.signbit(zeros["x"]).tolist() == [True, False]


def test_the_indicator_is_there_only_where_training_had_gaps() -> None:
    whole, known = encoded("number", TAME.drop_null(), pa.array([None, 1.0]), "number")
    assert known.number_names == ("x",)
    assert whole["x"][0] == 0
    nan, known = encoded("number", pa.array([1.0, np.nan, 3.0]), pa.array([None, 2.0]), "number")
    assert known.number_names == ("x", "x is null")
    assert (nan["x"].tolist(), nan["x is null"].tolist()) == ([0, 0], [1, 0])


@pytest.mark.parametrize(
    "train",
    [
        [None, None],
        [np.nan],
        [5.0, 5.0],
        [1e308, -1e308, None],
        [5e-324, 0.0],
        [1.7976931348623157e308] * 2,
        [np.inf, 1.0],
        [1e-310, 2e-310],
    ],
    ids=str,
)
@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_strange_training_columns_still_give_finite_numbers(train: list[float | None], scale: str) -> None:
    encoded({"kind": "number", "scale": scale}, pa.array(train, pa.float64()), HOSTILE, "number")


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int64(), pa.uint16(), pa.float32(), pa.decimal128(25, 2)], ids=str
)
def test_every_type_of_number_can_be_fitted(kind: pa.DataType) -> None:
    train = pa.array([1, 2, None, 9]).cast(kind)
    found, _ = encoded("number", train, pa.array([4.0]), "number")
    assert found["x"][0] == pytest.approx(0)


def test_large_numbers_keep_their_differences() -> None:
    stamps = 1.7e15 + np.arange(1000.0)
    found, _ = encoded("number", pa.array(stamps), pa.array(stamps), "number")
    np.testing.assert_allclose(found["x"], (np.arange(1000) - 499.5) / np.arange(1000).std(), rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.one_of(some.none(), some.floats(allow_infinity=False)), min_size=1, max_size=30),
    some.sampled_from(["standard", "minmax", "none"]),
)
def test_any_training_column_and_any_rows_give_finite_numbers(values: list[float | None], scale: str) -> None:
    encoded(
        {"kind": "number", "scale": scale}, pa.array(values, pa.float64()), HOSTILE.slice(0, 200), "number"
    )


@pytest.mark.parametrize(
    "option",
    [{"clip": (2.0, 1.0)}, {"impute": float("nan")}, {"clip": (0.0, float("inf"))}, {"impute": "mode"}],
)
def test_senseless_options_are_refused(option: dict) -> None:
    with pytest.raises(ValidationError):
        Slot("feature").choose({"kind": "number", **option})
