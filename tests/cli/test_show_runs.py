"""`mlspec show last` and its kin: records of runs, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlspec.cli.main import main
from mlspec.engine.files import write_json
from mlspec.run.record import Record
from tests.spec.full_spec import write_full

RECORD: dict[str, Any] = {
    "name": "adult_income",
    "spec": "spec.yaml",
    "overrides": ["training.epochs=3"],
    "began": "2026-11-25T19:12:00Z",
    "seconds": 12.3,
    "ended": "done",
    "steps": [
        {"step": "prepare", "pipeline": "data-adult", "done": "reused", "seconds": 0.0,
         "output": "artifacts/data-adult/prepare", "rows": {"read": 10, "train": 8, "test": 2}},
        {"step": "train", "pipeline": "adult", "done": "ran", "seconds": 11.9, "peak_mib": 412,
         "reasons": ["training.epochs: 2 -> 3"], "output": "artifacts/adult/train",
         "hardware": {"accelerator": "cpu", "threads": 2}},
    ],
    "metrics": {"main": {"accuracy": 0.91234, "auroc": 0.5, "rows": 2}},
    "intervals": {"main": {"confidence": 0.95, "metrics": {"accuracy": [0.88, 0.94], "auroc": None}}},
    "gates": [
        {"passed": True, "text": "auroc is 0.5, must be at least 0.4", "metric": "auroc", "export": "main"}
    ],
    "git": {"revision": "1" * 40, "changed": ["spec.yaml"], "dirty": True},
    "versions": {"mlspec": "0.1.0", "torch": "2.9.0"},
    "machine": {"system": "Linux x86_64", "cpus": 2, "memory_mib": 8000},
}  # fmt: skip
FAILED = RECORD | {
    "began": "2026-11-25T20:00:00Z",
    "ended": "failed",
    "failure": {"error": "StepError", "what": "the loss is not finite", "step": "train", "fix": "lower it"},
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_full(tmp_path)
    logs = tmp_path / "artifacts/adult_income/logs"
    write_json(logs / "run-20261125T191200000001.json", RECORD)
    write_json(logs / "run-20261125T200000000001.json", FAILED)
    write_json(tmp_path / "pipelines/adult_income/run.json", FAILED)
    return tmp_path


def test_the_latest_run_is_told_with_all_that_matters(workspace, capsys):
    write_json(workspace / "pipelines/adult_income/run.json", RECORD)
    assert main(["show", "last"]) == 0
    told = capsys.readouterr().out
    for line in (
        "adult_income: 2026-11-25 19:12:00 UTC, done after 12.3 s",
        "  spec    spec.yaml training.epochs=3",
        "  commit  111111111111, changed since: spec.yaml",
        "  prepare  reused                   read 10, train 8, test 2",
        "  train    ran     11.9 s  412 MiB                            training.epochs: 2 -> 3",
        "  accuracy  0.9123 (0.88-0.94)",
        "  passed  auroc is 0.5, must be at least 0.4",
        "  train on cpu, 2 threads",
        "  mlspec 0.1.0, torch 2.9.0",
    ):
        assert line in told.splitlines()


def test_a_failed_run_says_where_and_how_to_mend_it(workspace, capsys):
    assert main(["show", "last"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("failed after 12.3 s")
    assert "  error   train: the loss is not finite" in lines and "  fix     lower it" in lines


def test_an_interrupted_run_says_where_it_stopped(workspace, capsys):
    failure = {"error": "KeyboardInterrupt", "what": "", "step": "train"}
    stopped = RECORD | {"ended": "interrupted", "failure": failure}
    write_json(workspace / "pipelines/adult_income/run.json", stopped)
    assert main(["show", "last"]) == 0
    assert "  stopped in train; `mlspec run` goes on" in capsys.readouterr().out.splitlines()


def test_runs_are_listed_and_one_is_named_by_its_first_digits(workspace, capsys):
    assert main(["show", "runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines[1:]] == [
        ["run-20261125T191200000001", "done", "12.3", "s", "auroc"],
        ["run-20261125T200000000001", "failed", "12.3", "s", "auroc"],
    ]
    assert main(["show", "run-20261125T19", "spec.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == Record.model_validate(RECORD).plain()
    assert main(["show", "run-2026"]) == 2
    assert "2 runs begin with 'run-2026'" in capsys.readouterr().err
    assert main(["show", "run-1999"]) == 3


def test_the_list_as_json_names_the_measure_that_a_gate_holds(workspace, capsys):
    assert main(["show", "runs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["ended"], run["metric"], run["value"], run["ran"]) for run in found] == [
        ("done", "auroc", 0.5, ["train"]),
        ("failed", "auroc", 0.5, ["train"]),
    ]


def test_a_file_is_shown_as_it_is_named(workspace, capsys):
    assert main(["show", "pipelines/adult_income/run.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ended"] == "failed"
    (workspace / "other.json").write_text("{}")
    assert main(["show", "other.json"]) == 2
    assert main(["show", "nowhere.json"]) == 3


def test_words_that_fit_nothing_are_told(workspace, capsys):
    assert main(["show", "lst"]) == 3
    assert "did you mean 'mlspec show last'?" in capsys.readouterr().err
    assert main(["show", "last", "--comments"]) == 2
    assert main(["show", "runs", "training.epochs=x"]) == 2
