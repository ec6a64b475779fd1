"""What of the data is suspicious: planted, and not seen where there is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from mlspec.engine.files import read_json
from mlspec.engine.preparing import repeated_rows, strength, suspicions
from mlspec.engine.preparing.suspicious_columns import suspicious_columns
from mlspec.sdk.contract import FittedTarget
from tests.steps.data_rows import context, data, prepared

ROWS = 400
TARGETS = {
    "binary": FittedTarget(column="y", kind="binary", classes=("no", "yes")),
    "category": FittedTarget(column="y", kind="category", classes=("a", "b", "c")),
    "number": FittedTarget(column="y", kind="number", mean=0.0, std=1.0),
}


def truth(kind: str, random: np.random.Generator) -> np.ndarray:
    if kind == "number":
        return random.normal(0, 1, ROWS)
    return random.choice(TARGETS[kind].classes, ROWS)


def codes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]


def planted(name: str, y: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, str]:
    """A column that tells the target, and its kind of feature."""
    place = codes(y) if y.dtype.kind == "U" else y
    return {
        "shifted": (place * 10 + random.uniform(0, 1, ROWS) * (y.dtype.kind == "U"), "number"),
        "cubed": (np.exp(place), "number"),
        "renamed": (np.array([f"is {round(float(value), 1)}" for value in place]), "category"),
        "empty": (np.where(place == 0, None, random.normal(0, 1, ROWS)), "number"),
    }[name]


def found(y: np.ndarray, kind: str, **columns: tuple[Any, str]):
    table = pa.table(
        {name: pa.array(values, from_pandas=True) for name, (values, _) in columns.items()} | {"y": y}
    )
    kinds = {name: kind for name, (_, kind) in columns.items()}
    told = suspicious_columns(table, kinds, TARGETS[kind], 1)
    return {(one.column, one.kind): one for one in told}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("binary", "shifted"),
        ("binary", "cubed"),
        ("binary", "renamed"),
        ("binary", "empty"),
        ("category", "shifted"),
        ("category", "cubed"),
        ("category", "renamed"),
        ("number", "shifted"),
        ("number", "cubed"),
        ("number", "renamed"),
    ],
)
def test_a_column_that_tells_the_target_is_named_with_its_strength(kind: str, name: str) -> None:
    random = np.random.default_rng(1)
    y = truth(kind, random)
    column = planted(name, y, random)
    if (kind, name) == ("number", "renamed"):
        y = np.round(y)
        column = planted(name, y, random)
    told = found(y, kind, leak=column)
    assert set(told) == {("leak", "gives_target_away")}
    (one,) = told.values()
    assert one.evidence["value"] > 0.999 and "'leak'" in one.text and str(ROWS) in one.text


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_strong_columns_that_are_honest_are_not_named(kind: str) -> None:
    random = np.random.default_rng(2)
    y = truth(kind, random)
    place = codes(y) if kind != "number" else y
    noisy = place + random.normal(0, 0.3 if kind != "number" else 0.1, ROWS)
    towns = np.where(random.random(ROWS) < 0.03, "other", np.array([f"t{round(float(v))}" for v in place]))
    gaps = np.where(random.random(ROWS) < 0.3, None, random.normal(0, 1, ROWS))
    few = np.where(np.arange(ROWS) < 5, None, 1.0)
    told = found(
        y, kind, noisy=(noisy, "number"), towns=(towns, "category"), gaps=(gaps, "number"),
        constant=(np.ones(ROWS), "number"), few=(few, "number"),
    )  # fmt: skip
    assert told == {}


def test_a_target_with_hardly_any_other_class_accuses_nobody() -> None:
    y = np.array(["no"] * (ROWS - 3) + ["yes"] * 3)
    assert found(y, "binary", last=(np.arange(ROWS) * 1.5, "number"), town=(y, "category")) == {}


def test_times_at_the_end_of_the_calendar_are_looked_at() -> None:
    y = truth("binary", np.random.default_rng(4))
    forever = np.where(
        codes(y) == 1, np.datetime64("9999-12-31T23:59:59.999999"), np.datetime64("2024-01-01T00:00")
    )
    assert set(found(y, "binary", until=(forever, "datetime"))) == {("until", "gives_target_away")}


def test_ids_are_named_and_amounts_are_not() -> None:
    random = np.random.default_rng(3)
    y = truth("binary", random)
    ids = random.permutation(np.arange(1000, 1000 + ROWS)).astype(float)
    amounts = random.choice(np.arange(10**6), ROWS, replace=False).astype(float)
    ids[:8] = ids[8:16]  # a few rows stand there twice
    told = found(
        y, "binary",         places=(random.integers(0, 3 * ROWS, ROWS).astype(float), "number"),
        ids=(ids, "number"), amounts=(amounts, "number"), real=(ids + 0.5, "number"),
        age=(random.integers(18, 90, ROWS).astype(float), "number"),
        ticket=(np.array([f"T-{row}" for row in range(ROWS)]), "category"),
        town=(random.choice([f"town {place}" for place in range(100)], ROWS), "category"),
    )  # fmt: skip
    assert set(told) == {("ids", "like_an_id"), ("ticket", "like_an_id")}
    assert told["ids", "like_an_id"].evidence == {"distinct": ROWS - 8, "rows": ROWS}


def test_strengths_are_those_of_other_libraries() -> None:
    random = np.random.default_rng(4)
    values, y = np.round(random.normal(0, 1, 300), 1), random.integers(0, 2, 300)
    expected = roc_auc_score(y, values)
    assert strength.number_by_class(values, y).value == pytest.approx(max(expected, 1 - expected))
    other = np.exp(values) + random.normal(0, 0.1, 300)
    told = strength.number_by_number(values, other)
    rank = abs(stats.spearmanr(values, other).statistic)
    assert told.value == pytest.approx(max(rank, abs(stats.pearsonr(values, other).statistic)))
    groups = random.integers(0, 4, 300)
    parts = [other[groups == code] for code in range(4)]
    f = stats.f_oneway(*parts).statistic
    assert strength.group_by_number(groups, other).value == pytest.approx(3 * f / (3 * f + 296))


def test_copies_across_splits_are_told_with_examples(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    frame = pd.DataFrame({
        "id": [f"p{row}" for row in range(300)], "x": random.normal(0, 1, 300).round(6),
        "town": random.choice(["a", "b"], 300), "income": random.choice(["high", "low"], 300),
    })  # fmt: skip
    doubled = pd.concat([frame, frame.iloc[:60].assign(id=[f"q{row}" for row in range(60)])])
    said: list[str] = []
    features = {"x": {"kind": "number"}, "town": {"kind": "category"}}
    parameters = data(features=features, weight=None, ignore=[])
    quiet = prepared(tmp_path / "a", parameters, context(tmp_path / "a-in", frame))
    assert read_json(quiet / "warnings.json") == {"warnings": []}
    here = context(tmp_path / "b-in", doubled)
    object.__setattr__(here, "say", said.append)
    made = prepared(tmp_path / "b", parameters, here)
    told = read_json(made / "warnings.json")["warnings"]
    assert {one["kind"] for one in told} == {"repeated_rows"} and len(said) == len(told)
    test = next(one["evidence"] for one in told if one["evidence"]["split"] == "test")
    first = test["examples"][0]
    assert 0 < test["copies"] <= test["rows"] and len(test["examples"]) <= 5
    assert {first["key"]["id"][1:], first["train_key"]["id"][1:]} == {first["key"]["id"][1:]}
    ids = doubled["id"].tolist()
    base = ids.index(first["key"]["id"]) - first["row"]
    assert ids[first["train_row"] + base] == first["train_key"]["id"]


def test_a_few_values_in_a_few_columns_repeat_by_nature(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    frame = pd.DataFrame({
        "id": [f"p{row}" for row in range(300)], "town": random.choice(["a", "b"], 300),
        "x": random.integers(0, 5, 300), "income": random.choice(["high", "low"], 300),
    })  # fmt: skip
    features = {"x": {"kind": "number"}, "town": {"kind": "category"}}
    made = prepared(
        tmp_path / "out", data(features=features, weight=None, ignore=[]), context(tmp_path / "in", frame)
    )
    assert read_json(made / "warnings.json") == {"warnings": []}


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_the_bundled_data_raise_no_alarm(tmp_path: Path, name: str) -> None:
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    columns = [column for column in frame.columns if column != "target"]
    kind = {"breast_cancer": "binary", "wine": "category", "diabetes": "number"}[name]
    positive = "1" if kind == "binary" else None
    parameters = data(
        key=[], weight=None, ignore=[], features={column: {"kind": "number"} for column in columns},
        target={"column": "target", "kind": kind, "positive": positive},
    )  # fmt: skip
    made = prepared(tmp_path / "out", parameters, context(tmp_path / "in", frame))
    assert read_json(made / "warnings.json") == {"warnings": []}


def test_of_many_rows_some_are_looked_at_and_all_copies_of_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_rows, "LOOKED", 150)
    monkeypatch.setattr(suspicions, "ROWS", 100)
    random = np.random.default_rng(7)
    frame = pd.DataFrame({
        "id": [f"p{row}" for row in range(300)], "x": random.permutation(np.arange(300)),
        "town": random.choice(["a", "b"], 300), "income": random.choice(["high", "low"], 300),
    })  # fmt: skip
    frame = pd.concat([frame, frame.assign(id=[f"q{row}" for row in range(300)])])
    features = {"x": {"kind": "number"}, "town": {"kind": "category"}}
    split = {"kind": "random", "train": 0.5, "val": 0.0, "test": 0.5}
    made = prepared(
        tmp_path / "out",
        data(features=features, weight=None, ignore=[], split=split),
        context(tmp_path / "in", frame),
    )
    (told,) = read_json(made / "warnings.json")["warnings"]
    evidence = told["evidence"]
    assert told["kind"] == "repeated_rows" and evidence["one_in"] == 4 and "one in 4" in told["text"]
    assert evidence["rows"] < 150 and evidence["copies"] == pytest.approx(evidence["rows"] / 2, rel=0.4)
