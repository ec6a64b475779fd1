"""The step `ingest`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.engine.checking.contract_file import read_contract
from mlspec.engine.files import read_json
from mlspec.errors import CheckFailed, StepError
from mlspec.steps.ingest import ingest
from tests.steps.data_rows import context, data, digests, rows


def test_it_writes_what_the_architecture_says(tmp_path: Path) -> None:
    here = context(tmp_path)
    (tmp_path / "out").mkdir()
    ingest({"data": data()}, {}, tmp_path / "out", here)
    assert set(digests(tmp_path / "out")) == {
        "manifest.json",
        "statistics.json",
        "rejects.json",
        "contract.yaml",
    }
    manifest = read_json(tmp_path / "out" / "manifest.json")
    assert (manifest["rows"], manifest["rejected"]) == (600, 0)
    assert manifest["columns"] == {
        "id": "string",
        "age": "number",
        "job": "string",
        "member": "string",
        "seen": "datetime",
        "w": "number",
        "region": "string",
        "income": "string",
    }
    assert manifest["fingerprint"]["files"][0]["name"] == "t.csv"
    statistics = read_json(tmp_path / "out" / "statistics.json")["columns"]
    assert statistics["age"]["nulls"] == rows()["age"].isna().sum()
    assert "secret" not in statistics
    contract = read_contract(tmp_path / "out" / "contract.yaml", "contract.yaml")
    assert contract.columns["income"].domain == ("high", "low")
    assert read_json(tmp_path / "out" / "rejects.json") == {"rows": 0, "reasons": []}


def test_the_same_data_in_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b/deeper"):
        here = context(tmp_path / name)
        (tmp_path / name / "out").mkdir()
        ingest({"data": data()}, {}, tmp_path / name / "out", here)
    assert digests(tmp_path / "a" / "out") == digests(tmp_path / "b/deeper" / "out")


def test_too_many_rejects_leave_their_reasons(tmp_path: Path) -> None:
    frame = rows()
    frame["age"] = frame["age"].astype(object)
    frame.loc[5, "age"] = "old"
    here = context(tmp_path, frame)
    (tmp_path / "out").mkdir()
    with pytest.raises(CheckFailed, match="1 of 600 rows are unreadable"):
        ingest({"data": data()}, {}, tmp_path / "out", here)
    assert read_json(tmp_path / "out" / "rejects.json") == {
        "rows": 1,
        "reasons": [
            {"column": "age", "reason": "is not a finite number", "rows": 1, "examples": ["row 5: 'old'"]}
        ],
    }
    ingest({"data": data(max_rejects=0.01)}, {}, tmp_path / "out", here)
    assert read_json(tmp_path / "out" / "manifest.json")["rejected"] == 1


def test_a_sample_reads_few_rows(tmp_path: Path) -> None:
    here = context(tmp_path)
    (tmp_path / "out").mkdir()
    ingest({"data": data(sample=50)}, {}, tmp_path / "out", here)
    assert read_json(tmp_path / "out" / "manifest.json")["rows"] == 50


def test_no_rows_are_told(tmp_path: Path) -> None:
    here = context(tmp_path, rows().head(0))
    (tmp_path / "out").mkdir()
    with pytest.raises(StepError, match="the source has no rows"):
        ingest({"data": data()}, {}, tmp_path / "out", here)
