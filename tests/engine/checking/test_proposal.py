"""What mlspec guesses of columns."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from mlspec.plugins.source.csv import Csv
from mlspec.plugins.source.json import Json
from mlspec.plugins.source.sample import Sample

from mlspec.engine.checking.proposal import Proposal, first_rows, proposal
from mlspec.engine.checking.propose import propose
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context

ROWS = 200
COLUMNS: dict[str, Any] = {
    "customer_id": lambda row: 1000 + row,
    "uuid": lambda row: f"{row:08x}-x",
    "age": lambda row: 20 + row % 50,
    "price": lambda row: "" if row % 9 == 0 else row * 1.5,
    "zip": lambda row: f"0{row % 30:03}",
    "city": lambda row: ["Rom", "Bonn", "Oslo"][row % 3],
    "member": lambda row: ["yes", "no"][row % 2],
    "smoker": lambda row: row % 2,
    "seen": lambda row: f"2024-01-{row % 28 + 1:02}",
    "seen_utc": lambda row: f"2024-01-{row % 28 + 1:02}T10:00:00Z",
    "constant": lambda row: "x",
    "nothing": lambda row: "",
    "churned": lambda row: ["no", "no", "yes"][row % 3],
}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    with open(tmp_path / "t.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([make(row) for make in COLUMNS.values()] for row in range(ROWS))
    return Context(tmp_path, scratch=tmp_path)


def kinds(found: Proposal) -> dict[str, str | None]:
    return {guess.column: guess.kind for guess in found.guesses}


def test_kinds_follow_the_values(context: Context) -> None:
    found = proposal(first_rows(Csv(kind="csv", path="t.csv"), context))
    assert kinds(found) == {
        "customer_id": None,
        "uuid": None,
        "age": "number",
        "price": "number",
        "zip": "category",
        "city": "category",
        "member": "binary",
        "smoker": "binary",
        "seen": "datetime",
        "seen_utc": "datetime",
        "constant": None,
        "nothing": None,
    }
    assert all(guess.reason for guess in found.guesses)
    assert (found.target, found.target_kind) == ("churned", "binary")
    options = {guess.column: dict(guess.options) for guess in found.guesses}
    assert options["seen"] == {"timezone": "UTC"} and options["seen_utc"] == {}


def test_what_is_proposed_can_be_read(context: Context) -> None:
    source = Csv(kind="csv", path="t.csv")
    data: dict[str, Any] = {
        "source": {"kind": "csv", "path": "t.csv"},
        "target": {"column": "churned", "kind": "binary"},
        "key": ["customer_id"],
    }
    features = propose(source, context, data)
    assert "customer_id" not in features and "churned" not in features and "uuid" not in features
    assert Reading.of({**data, "features": features}, context).check().rejected == 0


def test_what_is_left_out_is_told(tmp_path: Path, context: Context) -> None:
    said: list[str] = []
    propose(Csv(kind="csv", path="t.csv"), Context(tmp_path, scratch=tmp_path, say=said.append), {})
    assert [line.split("'")[1] for line in said] == ["customer_id", "uuid", "constant", "nothing"]


def test_columns_that_are_spoken_for_are_left_alone(context: Context) -> None:
    data = {
        "key": ["uuid"],
        "ignore": ["zip"],
        "weight": "price",
        "target": {"column": "member"},
        "event_time": {"column": "seen"},
    }
    found = proposal(first_rows(Csv(kind="csv", path="t.csv"), context), data)
    assert not {"uuid", "zip", "price", "member", "seen"} & set(kinds(found))
    assert found.target is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("breast_cancer", "binary"),
        ("iris", "category"),
        ("wine", "category"),
        ("diabetes", "number"),
        ("digits", "category"),
    ],
)
def test_the_bundled_sets_are_understood(tmp_path: Path, name: str, kind: str) -> None:
    found = proposal(first_rows(Sample.revive({"name": name}), Context(tmp_path, scratch=tmp_path)))
    assert (found.target, found.target_kind) == ("target", kind)
    assert set(kinds(found).values()) <= {"number", None}


def test_json_columns_are_understood(tmp_path: Path) -> None:
    lines = [f'{{"a": {row}.5, "b": {str(row % 2 == 0).lower()}, "c": "w{row % 4}"}}' for row in range(50)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    rows = first_rows(Json(kind="json", path="t.jsonl"), Context(tmp_path, scratch=tmp_path))
    found = proposal(rows, {"target": {"column": "c"}})
    assert kinds(found) == {"a": "number", "b": "binary"}


def test_nothing_to_learn_from_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\n1,y\n")
    with pytest.raises(StepError, match="finds no column to learn from"):
        propose(
            Csv(kind="csv", path="t.csv"), Context(tmp_path, scratch=tmp_path), {"target": {"column": "b"}}
        )
