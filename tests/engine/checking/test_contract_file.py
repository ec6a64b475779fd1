"""The contract file: inferred so that the data at hand meets it, then held against other data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv
from ruamel.yaml import YAML

from mlspec.engine.checking.contract_checks import contract_checks
from mlspec.engine.checking.contract_file import DataContract, infer_contract, read_contract
from mlspec.engine.checking.statistics import statistics
from mlspec.engine.graph.moments import first
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context

FEATURES: dict[str, Any] = {
    "age": "number",
    "job": "category",
    "code": "category",
    "flag": "binary",
    "seen": {"kind": "datetime", "timezone": "UTC"},
}
ODD = [
    "no",
    "yes",
    "null",
    "~",
    "1e3",
    "a: b",
    "'q'",
    "é\n",
    " x ",
    "#c",
    "0o7",
    "-",
    "2024-01-01",
    "\U0001f600",
]


def columns(rows: int = 300) -> dict[str, list[str | None]]:
    return {
        "id": [str(row) for row in range(rows)],
        "age": [str(17 + row % 60) if row % 10 else None for row in range(rows)],
        "job": [ODD[row % len(ODD)] for row in range(rows)],
        "code": [str(row % 3) for row in range(rows)],
        "flag": ["true" if row % 2 else "false" for row in range(rows)],
        "seen": ["2024-01-01" for _ in range(rows)],
    }


def reading(
    folder: Path, values: dict[str, list[str | None]], features: dict[str, Any] = FEATURES
) -> Reading:
    csv.write_csv(
        pa.table({name: pa.array(column, pa.string()) for name, column in values.items()}), folder / "t.csv"
    )
    data = {"source": {"kind": "csv", "path": "t.csv"}, "features": features, "key": ["id"]}
    return Reading.of(data, Context(folder, scratch=folder)).check()


def inferred(folder: Path) -> Path:
    found = reading(folder, columns())
    text = infer_contract(statistics(found.table), found.types(), ["id"], "people")
    (folder / "contract.yaml").write_text(text)
    return folder / "contract.yaml"


def broken(contract: DataContract, found: Reading) -> dict[str, int]:
    """Return the failing rows of each check that fails; -1 where the column as a whole does."""
    checks = list(contract_checks(contract, found.table, found.types()))
    counts = first(
        found.table,
        {str(at): check.broken.sum() for at, check in enumerate(checks) if check.broken is not None},
    )
    failing = {
        check.id: counts[str(at)] or 0 if check.broken is not None else -1 for at, check in enumerate(checks)
    }
    rows = found.rows - found.rejected
    return {
        check.id: failing[check.id]
        for check in checks
        if failing[check.id] < 0 or failing[check.id] > check.share * rows
    }


def test_what_is_inferred_is_what_the_data_holds(tmp_path: Path) -> None:
    file = inferred(tmp_path)
    assert file.read_text().startswith(
        "# What the data 'people' must look like: inferred by mlspec from 300 rows"
    )
    content = YAML(typ="safe", pure=True).load(file)
    assert content["columns"] == {
        "id": {"type": "string", "max_null": 0.0},
        "age": {"type": "number", "max_null": 0.2, "low": 18, "high": 76},
        "job": {"type": "string", "max_null": 0.0, "domain": sorted(ODD)},
        "code": {"type": "integer", "max_null": 0.0, "domain": [0, 1, 2]},
        "flag": {"type": "boolean", "max_null": 0.0, "domain": ["false", "true"]},
        "seen": {"type": "datetime", "max_null": 0.0},
    }


def test_the_data_at_hand_meets_it(tmp_path: Path) -> None:
    contract = read_contract(inferred(tmp_path), "contract.yaml")
    assert contract.columns["job"].domain == tuple(sorted(ODD))
    assert broken(contract, reading(tmp_path, columns())) == {}


@pytest.mark.parametrize(
    ("column", "values", "wanted"),
    [
        ("age", ["16", "91", *["20"] * 298], {"contract(age.low)": 1, "contract(age.high)": 1}),
        ("age", [None] * 61 + ["20"] * 239, {"contract(age.max_null)": 61}),
        ("age", [None] * 60 + ["20"] * 240, {}),
        ("job", ["pilot", *["no"] * 299], {"contract(job.domain)": 1}),
        ("code", ["x", *["1"] * 299], {"contract(code.type)": 1, "contract(code.domain)": 1}),
        ("code", ["7", *["1"] * 299], {"contract(code.domain)": 1}),
        ("flag", ["yes", *["true"] * 299], {"contract(flag.type)": 1, "contract(flag.domain)": 1}),
        ("seen", [None, *["2024-01-01"] * 299], {"contract(seen.max_null)": 1}),
    ],
)
def test_each_breach_is_counted(
    tmp_path: Path, column: str, values: list[str | None], wanted: dict[str, int]
) -> None:
    contract = read_contract(inferred(tmp_path), "contract.yaml")
    assert broken(contract, reading(tmp_path, {**columns(), column: values})) == wanted


def test_columns_that_come_go_or_change_are_told(tmp_path: Path) -> None:
    contract = read_contract(inferred(tmp_path), "contract.yaml")
    values = columns()
    values["new"] = values.pop("job")
    features = {name: kind for name, kind in FEATURES.items() if name != "job"} | {"age": "category"}
    found = broken(contract, reading(tmp_path, values, features))
    assert found["contract(new)"] == found["contract(job)"] == -1
    assert "contract(age.low)" in found or "contract(age.type)" in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\ncolumns: [", "is no YAML"),
        ("just text", "holds no mapping"),
        ("version: 2\ncolumns: {}", "at 'version'"),
        ("version: 1\ncolumns: {a: {type: text}}", r"at 'columns\.a\.type'"),
        ("version: 1\ncolumns: {a: {type: number, hihg: 3}}", r"at 'columns\.a\.hihg'"),
        ("version: 1\ncolumns: {a: {type: number, max_null: 2}}", r"at 'columns\.a\.max_null'"),
        ("version: 1\ncolumns: {a: {type: string, domain: [1.5]}}", r"at 'columns\.a\.domain\.0'"),
        ("version: 1\ncolumns: {a: {type: number}, a: {type: string}}", "is no YAML"),
    ],
)
def test_a_file_that_is_no_contract_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(StepError, match=told) as caught:
        read_contract(tmp_path / "c.yaml", "c.yaml")
    assert "'c.yaml'" in caught.value.what


def test_words_that_a_user_writes_plainly_stay_words(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "version: 1\ncolumns: {a: {type: string, domain: [no, yes, 1, 007, true]}}"
    )
    assert read_contract(tmp_path / "c.yaml", "c").columns["a"].domain == ("no", "yes", "1", "7", "true")
