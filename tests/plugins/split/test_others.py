"""Splits by groups, by time, and by a column."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from mlspec.plugins.split.column import Column
from mlspec.plugins.split.hash import Hash
from mlspec.plugins.split.time import Time

from mlspec.errors import StepError
from mlspec.sdk.split import SplitColumns
from tests.tables import assigned, frame


def test_a_group_never_straddles() -> None:
    data = frame(2000)
    data.loc[::10, "group"] = None
    found = assigned(Hash(kind="hash", columns=("group",)), data)
    assert (
        pd.DataFrame({"group": data["group"].fillna("null group"), "split": found})
        .groupby("group")["split"]
        .nunique()
        == 1
    ).all()


def test_added_rows_move_no_others() -> None:
    split = Hash(kind="hash", columns=("group", "target"))
    few, many = assigned(split, frame().head(200)), assigned(split, frame())
    assert many.head(200).equals(few)


def test_values_of_two_columns_are_not_run_together() -> None:
    rows = range(200)
    first = pd.DataFrame({"mlspec_row": rows, "a": [f"{row}1" for row in rows], "b": "2"})
    second = pd.DataFrame({"mlspec_row": rows, "a": [f"{row}" for row in rows], "b": "12"})
    split = Hash(kind="hash", columns=("a", "b"))
    assert not assigned(split, first).equals(assigned(split, second))


def test_the_past_trains_and_an_instant_is_not_cut() -> None:
    data = frame()
    found = assigned(Time.revive({}), data)
    times = pd.DataFrame({"time": data["time"], "split": found})
    assert (times.groupby("time")["split"].nunique() == 1).all()
    bounds = times.groupby("split")["time"].agg(["min", "max"])
    assert bounds.loc["train", "max"] < bounds.loc["val", "min"]
    assert bounds.loc["val", "max"] < bounds.loc["test", "min"]


def test_shares_of_different_instants_hold_to_the_row() -> None:
    data = frame(1000)
    data["time"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(
        data["mlspec_row"].sample(frac=1, random_state=0).to_numpy(), "s"
    )
    counts = assigned(Time.revive({"train": 0.8, "val": 0.05, "test": 0.15}), data).value_counts()
    assert counts.to_dict() == {"train": 800, "test": 150, "val": 50}


def test_times_cut_where_they_are_told() -> None:
    data = frame()
    found = assigned(Time.revive({"val_from": "2024-01-04", "test_from": "2024-01-06T02:00:00+02:00"}), data)
    cuts = pd.cut(
        data["time"],
        [
            pd.Timestamp("2023-12-31", tz="UTC"),
            pd.Timestamp("2024-01-03 23:59:59", tz="UTC"),
            pd.Timestamp("2024-01-05 23:59:59", tz="UTC"),
            pd.Timestamp("2025-01-01", tz="UTC"),
        ],
        labels=["train", "val", "test"],
    )
    assert (found.to_numpy() == cuts.astype(str).to_numpy()).all()
    without = Time.revive({"test_from": "2024-01-06"})
    assert not without.has_val()
    assert set(assigned(without, data)) == {"train", "test"}


def test_a_time_split_needs_a_time() -> None:
    columns = SplitColumns(target="target", stratify=True, event_time=None, key=())
    with pytest.raises(StepError, match=r"needs data\.event_time"):
        assigned(Time.revive({}), frame(), columns=columns)


@pytest.mark.parametrize(
    "options",
    [
        {"val_from": "2024-01-01"},
        {"train": 0.5},
        {"train": 0.5, "val": 0.1, "test": 0.5},
        {"test_from": "2024-01-01", "train": 0.7},
        {"val_from": "2024-01-02", "test_from": "2024-01-01"},
        {"test_from": "soon"},
    ],
)
def test_a_time_split_is_told_in_one_way(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"needs test_from|together|sum to 1|not both|before|no ISO 8601"):
        Time.revive(options)


def test_a_column_says_it_itself() -> None:
    data = frame()
    assert (assigned(Column(kind="column", column="part"), data).to_numpy() == data["part"].to_numpy()).all()


@pytest.mark.parametrize(
    ("value", "told"), [("dev", "'dev' in row 3"), (None, "null in row 3"), ("Train", "'Train' in row 3")]
)
def test_another_word_is_told_with_its_row(value: str | None, told: str) -> None:
    data = frame()
    data.loc[3, "part"] = value
    with pytest.raises(StepError, match=told):
        assigned(Column(kind="column", column="part"), data)


def test_a_day_is_a_time() -> None:
    assert Time.revive({"test_from": dt.date(2024, 1, 1).isoformat()}).has_val() is False
