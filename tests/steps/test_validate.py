"""The step `validate`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlspec.engine.checking.fault_table import fault_table
from mlspec.engine.files import read_json
from mlspec.engine.reading.reading import Reading
from mlspec.errors import CheckFailed, MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.steps.ingest import ingest
from mlspec.steps.validate import validate
from tests.steps.data_rows import context, data, digests, rows

RULES: tuple[dict[str, Any], ...] = (
    {"kind": "not_null", "columns": ["member"]},
    {"kind": "in_range", "column": "age", "low": 17, "high": 90},
    {"kind": "one_of", "column": "region", "values": ["north", "south"]},
    {"kind": "unique", "columns": ["id"]},
    {"kind": "expression", "expr": "w >= 0", "where": "age > 30", "name": "weights"},
)


def given(folder: Path, frame: pd.DataFrame | None = None) -> Context:
    """Write the good rows' contract, then the rows that are to be looked at."""
    here = context(folder)
    (folder / "ingest").mkdir()
    ingest({"data": data()}, {}, folder / "ingest", here)
    (folder / "contract.yaml").write_bytes((folder / "ingest" / "contract.yaml").read_bytes())
    (folder / "out").mkdir()
    if frame is not None:
        here = context(folder, frame)
        ingest({"data": data()}, {}, folder / "ingest", here)
    return here


def run(
    folder: Path, here: Context, *rules: dict[str, Any], contract: str = "contract.yaml"
) -> dict[str, Any]:
    parameters = {"data": data(), "validation": {"contract": contract, "rules": list(rules)}}
    validate(parameters, {"ingest": folder / "ingest"}, folder / "out", here)
    found: dict[str, Any] = read_json(folder / "out" / "report.json")
    return found


def test_good_data_pass_with_a_full_report(tmp_path: Path) -> None:
    report = run(tmp_path, given(tmp_path), *RULES)
    assert report["passed"] and report["rows"] == 600
    names = [check["id"] for check in report["checks"]]
    assert names[-5:] == [
        "not_null(member)",
        "in_range(age, 17..90)",
        "one_of(region)",
        "unique(id)",
        "weights",
    ]
    assert "contract(age.low)" in names and len(set(names)) == len(names)
    assert (tmp_path / "out" / "passed").read_bytes() == b"passed\n"
    assert report["checks"][-1]["rows"] == (rows()["age"] > 30).sum()


def test_rows_that_ingest_did_not_see_are_not_judged(tmp_path: Path) -> None:
    here = given(tmp_path)
    context(tmp_path, rows().iloc[::-1])
    with pytest.raises(StepError, match="the source changed since 'ingest' read it"):
        run(tmp_path, here)
    assert not (tmp_path / "out" / "passed").exists()


def test_every_fault_is_counted_with_examples_and_told_in_a_table(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[[3, 8], "age"] = [5.0, 200.0]
    frame.loc[7, "region"] = "west"
    frame.loc[9, "id"] = "p1"
    here = given(tmp_path, frame)
    with pytest.raises(CheckFailed) as told:
        run(tmp_path, here, *RULES)
    report = read_json(tmp_path / "out" / "report.json")
    failed = {check["id"]: check for check in report["checks"] if not check["passed"]}
    assert {name: check["failing"] for name, check in failed.items()} == {
        "contract(age.low)": 1,
        "contract(age.high)": 1,
        "contract(region.domain)": 1,
        "in_range(age, 17..90)": 2,
        "one_of(region)": 1,
        "unique(id)": 1,
    }
    assert failed["in_range(age, 17..90)"]["examples"] == [
        {"row": 3, "key": {"id": "p3"}, "values": {"age": 5.0}},
        {"row": 8, "key": {"id": "p8"}, "values": {"age": 200.0}},
    ]
    assert not (tmp_path / "out" / "passed").exists()
    assert told.value.what.startswith("the data fails 6 checks:\n")
    lines = told.value.what.splitlines()[1:]
    assert lines[0].split() == ["check", "severity", "rows", "failing", "example"]
    assert any(
        line.split()[:1] == ["one_of(region)"] and "id='p7'" in line and "'west'" in line for line in lines
    )
    assert fault_table(report) in told.value.what
    assert {line.index("error") for line in lines[1:]} == {lines[0].index("severity")}


def test_a_warning_is_told_and_passes_with_the_same_bytes(tmp_path: Path) -> None:
    said: list[str] = []
    here = dataclasses.replace(given(tmp_path), say=said.append)
    run(tmp_path, here)
    before = (tmp_path / "out" / "passed").read_bytes()
    report = run(tmp_path, here, {"kind": "in_range", "column": "age", "high": 40, "severity": "warn"})
    assert report["passed"] and not report["checks"][-1]["passed"]
    assert (tmp_path / "out" / "passed").read_bytes() == before
    assert any("in_range(age, ..40)" in line and "warn" in line for line in said)


def test_at_least_and_where_narrow_a_rule(tmp_path: Path) -> None:
    share = float((rows()["age"].dropna() <= 80).mean())
    here = given(tmp_path)
    rule = {"kind": "in_range", "column": "age", "high": 80}
    assert run(tmp_path, here, {**rule, "at_least": share})["passed"]
    assert run(tmp_path, here, {**rule, "where": "age < 70"})["passed"]
    with pytest.raises(CheckFailed, match=r"in_range\(age, \.\.80\)"):
        run(tmp_path, here, {**rule, "at_least": share + 0.01})


def test_a_missing_contract_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no contract file 'contracts/none\.yaml'"):
        run(tmp_path, given(tmp_path), contract="contracts/none.yaml")


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([{"kind": "expression", "expr": "agge > 1"}], "names no column of the data: 'agge'"),
        ([{"kind": "expression", "expr": "job > 1"}], "does not suit the types"),
        ([{"kind": "in_range", "column": "job", "low": 1}], "needs numbers, and 'job' is read as string"),
        ([{"kind": "unique", "columns": ["id"]}] * 2, r"two rules are called 'unique\(id\)'"),
    ],
)
def test_rules_that_cannot_be_asked_are_told(tmp_path: Path, rules: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(StepError, match=told):
        run(tmp_path, given(tmp_path), *rules)


def test_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b/deeper"):
        run(tmp_path / name, given(tmp_path / name), *RULES)
    assert digests(tmp_path / "a" / "out") == digests(tmp_path / "b/deeper" / "out")


HOSTILE = pa.table({
    "id": [2**53, 2**53 + 1, 2**53 + 1, None, None, -(2**53), 0, 1, 2**53 + 1],
    "near": [5, 5, None, -3, None, 0, 127, 7, 5],
    "plain": [0.0, -0.0, 1e308, -1e308, 5e-324, None, 1.0, 2.0, None],
    "gaps": [math.nan, 1.0, None, -1.0, math.nan, 0.0, -0.0, 9.0, math.nan],
    "word": ["a", None, "", "é", "e\u0301", "a", "b", None, "ab"],
    "flag": [True, None, False, True, True, None, False, True, True],
    "at": pa.array([0, -1, -1001, 10**15, None, -(10**15) - 1, 999, 10**17, None], pa.timestamp("us", "UTC")),
    "until": pa.array([1, 0, -1, None, 5, -(10**15), 0, 1001, 7], pa.timestamp("us", "UTC")),
    "price": [*map(Decimal, ("0.00", "-0.01")), None, *[Decimal("1.10")] * 5, None],
    "income": [*("high", "low") * 4, "low"],
})  # fmt: skip
"""Rows that are all readable, and easily miscounted."""


def between(name: str, low: float, high: float) -> Callable[[dict[str, Any]], bool | None]:
    return lambda row: None if row[name] is None else low <= row[name] <= high


def at_most(left: str, right: str) -> Callable[[dict[str, Any]], bool | None]:
    return lambda row: None if row[left] is None or row[right] is None else row[left] <= row[right]


def full(*names: str) -> Callable[[dict[str, Any]], bool | None]:
    return lambda row: all(row[name] is not None for name in names)


JUDGED: tuple[tuple[dict[str, Any], Callable[[dict[str, Any]], bool | None]], ...] = (
    *(({"kind": "not_null", "columns": [name]}, full(name)) for name in HOSTILE.column_names),
    ({"kind": "not_null", "columns": ["gaps", "word"]}, full("gaps", "word")),
    ({"kind": "in_range", "column": "plain", "low": 0, "high": 2}, between("plain", 0, 2)),
    ({"kind": "in_range", "column": "gaps", "low": 0, "high": 1}, between("gaps", 0, 1)),
    ({"kind": "in_range", "column": "gaps", "low": 1}, between("gaps", 1, math.inf)),
    ({"kind": "in_range", "column": "price", "high": 0}, between("price", -math.inf, 0)),
    (
        {"kind": "one_of", "column": "word", "values": ["a", "é"]},
        lambda row: None if row["word"] is None else row["word"] in ("a", "é"),
    ),
    ({"kind": "expression", "expr": "plain <= gaps"}, at_most("plain", "gaps")),
    ({"kind": "expression", "expr": "at <= until"}, at_most("at", "until")),
    (
        {"kind": "expression", "expr": "length(word) between 1 and 1"},
        lambda row: None if row["word"] is None else len(row["word"]) == 1,
    ),
    (
        {"kind": "expression", "expr": "id > 9007199254740991"},
        lambda row: None if row["id"] is None else row["id"] >= 2**53,
    ),
)
"""Rules, and what Python says of a row: whether it obeys, None where it is not looked at."""
UNIQUE: tuple[tuple[str, ...], ...] = (
    *((name,) for name in HOSTILE.column_names),
    ("near", "word"),
    ("gaps", "flag"),
)


def as_read() -> list[dict[str, Any]]:
    """Return the hostile rows as Python has them: NaN is null, and times are whole milliseconds."""
    found = HOSTILE.to_pylist()
    for row, at, until in zip(found, *(HOSTILE[name].cast("int64") for name in ("at", "until")), strict=True):
        row["gaps"] = None if row["gaps"] is None or math.isnan(row["gaps"]) else row["gaps"]
        for name, held in (("at", at), ("until", until)):
            row[name] = None if held.as_py() is None else held.as_py() // 1000
    return found


@pytest.mark.parametrize("table", [False, True])
def test_hostile_rows_are_counted_as_python_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: bool
) -> None:
    parquet.write_table(HOSTILE, tmp_path / "t.parquet", row_group_size=2)
    features = dict.fromkeys(("plain", "gaps", "price"), "number") | {"word": "category", "flag": "binary"}
    asked = {
        "source": {"kind": "parquet", "path": "t.parquet"},
        "key": ["id"],
        "features": features | {"at": "datetime", "until": "datetime"},
        "target": {"column": "income", "kind": "binary", "positive": "high"},
    }
    for name in ("ingest", "out"):
        (tmp_path / name).mkdir()
    here = Context(tmp_path, name="data", scratch=tmp_path, say=lambda line: None)
    ingest({"data": asked}, {}, tmp_path / "ingest", here)
    (tmp_path / "contract.yaml").write_bytes((tmp_path / "ingest" / "contract.yaml").read_bytes())
    if table:
        of = Reading.of
        monkeypatch.setattr(Reading, "where_it_lies", lambda data, context, *known: of(data, context))
    rules = [rule for rule, _ in JUDGED] + [{"kind": "unique", "columns": [*names]} for names in UNIQUE]
    some = {"kind": "unique", "columns": ["near"], "where": "plain >= 0", "name": "some"}
    none = {"kind": "unique", "columns": ["near"], "where": "plain < -1e308", "name": "none"}
    parameters = {
        "data": asked,
        "validation": {
            "contract": "contract.yaml",
            "rules": [{**rule, "severity": "warn"} for rule in (*rules, some, none)],
        },
    }
    validate(parameters, {"ingest": tmp_path / "ingest"}, tmp_path / "out", here)
    report = read_json(tmp_path / "out" / "report.json")
    found = [(check["rows"], check["failing"]) for check in report["checks"][-len(rules) - 2 :]]
    read = as_read()
    wanted = []
    for _, obeys in JUDGED:
        told = [obeys(row) for row in read]
        wanted.append((len(told) - told.count(None), told.count(False)))
    for names in UNIQUE:
        wanted.append((9, 9 - len({tuple(row[name] for name in names) for row in read})))
    near = [row["near"] for row in read if row["plain"] is not None and row["plain"] >= 0]
    assert found == [*wanted, (len(near), len(near) - len({*near})), (0, 0)]
    by_id = {check["id"]: check for check in report["checks"]}
    for name in HOSTILE.column_names:
        assert by_id[f"contract({name}.max_null)"]["failing"] == sum(row[name] is None for row in read)
