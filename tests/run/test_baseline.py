"""Numbers that were accepted: how they come to be, and what they make run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.errors import MissingError, StepError
from mlspec.run.baseline import accept
from mlspec.run.planned import planned
from tests.run.conftest import run

GATES = """\
evaluation:
  metrics: [accuracy]
  gates:
    - {metric: accuracy, against: baseline, may_drop: 0.01}
"""


@pytest.fixture
def compared(workspace: Path) -> Path:
    with (workspace / "spec.yaml").open("a") as spec:
        spec.write(GATES)
    return workspace


def accepted(workspace: Path):
    found = planned(workspace / "spec.yaml")
    return accept(found.plan, found.workspace)


def test_the_first_run_passes_and_says_that_there_is_no_baseline(compared, steps) -> None:
    report = run(compared)
    said = json.loads(report.record.read_text())["said"]
    assert any("no baseline yet" in line and "mlspec accept" in line for line in said)
    assert json.loads((compared / "metrics/small.json").read_text()) == {"exports": {}}


def test_a_locked_run_passes_only_against_a_baseline(compared, steps) -> None:
    run(compared)
    with pytest.raises(MissingError, match=r"'metrics/small\.json' has none"):
        run(compared, locked=True, force=["gate"])
    accepted(compared)
    steps.take()
    run(compared, locked=True)
    assert steps.take() == ["gate"]


def test_a_renewed_baseline_judges_again_and_nothing_else(compared, steps) -> None:
    run(compared)
    told = accepted(compared)
    assert told.old == {} and told.new["main"]["metrics"] == {"accuracy": 0.9}
    steps.take()
    run(compared)
    assert steps.take() == ["gate"]
    assert accepted(compared).old == told.new
    run(compared)
    assert steps.take() == []


def test_a_spec_without_such_a_gate_has_a_baseline_only_when_asked(workspace, steps) -> None:
    run(workspace)
    assert not (workspace / "metrics").exists()
    accepted(workspace)
    content = json.loads((workspace / "metrics/small.json").read_text())
    assert content["exports"]["main"] == {
        "metrics": {"accuracy": 0.9}, "intervals": {"accuracy": [0.85, 0.95]}, "slices": {},
    }  # fmt: skip


def test_a_few_rows_are_held_against_nothing_that_was_accepted(compared, steps) -> None:
    run(compared)
    accepted(compared)
    before = (compared / "metrics/small.json").read_bytes()
    run(compared, sample=2)
    assert (compared / "metrics/small.json").read_bytes() == before


def test_what_is_missing_or_older_than_the_plan_is_not_accepted(compared, steps) -> None:
    with pytest.raises(MissingError, match="has no measures yet"):
        accepted(compared)
    run(compared)
    spec = compared / "spec.yaml"
    spec.write_text(spec.read_text().replace("lr: 0.001", "lr: 0.002"))
    with pytest.raises(MissingError, match="older than the plan: train must run"):
        accepted(compared)
    assert json.loads((compared / "metrics/small.json").read_text()) == {"exports": {}}


def test_a_torn_baseline_is_told_and_not_written_over(compared, steps) -> None:
    run(compared)
    (compared / "metrics/small.json").write_text("<<<<<<< ours\n")
    for attempt in (accepted, run):
        with pytest.raises(StepError, match="cannot be read as a baseline"):
            attempt(compared)
    assert (compared / "metrics/small.json").read_text() == "<<<<<<< ours\n"


def test_the_verb_tells_old_and_new(compared, steps, monkeypatch, capsys) -> None:
    run(compared)
    monkeypatch.chdir(compared)
    assert main(["accept", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": "metrics/small.json", "old": {}, "new": {"main": {"accuracy": 0.9}},
    }  # fmt: skip
    file = compared / "metrics/small.json"
    file.write_text(file.read_text().replace("0.9\n", "0.8\n"))
    assert main(["accept"]) == 0
    assert "accuracy  0.9000 (0.85-0.95)  was 0.8000 (0.85-0.95)" in capsys.readouterr().out
