import json
from pathlib import Path

import pytest

from mlspec.errors import CheckFailed
from mlspec.sdk.context import Context
from mlspec.steps.gate import gate


def judged(at: Path, gates: list[dict], **metrics: dict) -> Path:
    output = at / "out"
    output.mkdir()
    inputs = {}
    for name, values in metrics.items():
        inputs[f"evaluate-{name}"] = at / name
        (at / name).mkdir()
        (at / name / "metrics.json").write_text(json.dumps(values))
    gate({"evaluation": {"gates": gates}}, inputs, output, Context(workspace=at, step="gate"))
    return output


def test_what_passes_leaves_the_same_bytes_whatever_the_numbers(tmp_path: Path) -> None:
    passed = []
    for place, value in enumerate((0.91, 0.99)):
        folder = tmp_path / str(place)
        folder.mkdir()
        output = judged(folder, [{"metric": "auroc", "at_least": 0.9}], main={"auroc": value})
        passed.append((output / "passed").read_bytes())
        assert json.loads((output / "report.json").read_text())["passed"] is True
    assert passed[0] == passed[1]


def test_no_gates_pass(tmp_path: Path) -> None:
    assert (judged(tmp_path, [], main={"auroc": 0.1}) / "passed").is_file()


def test_every_failed_gate_is_told_and_every_number_kept(tmp_path: Path) -> None:
    gates = [
        {"metric": "auroc", "at_least": 0.9},
        {"metric": "accuracy", "at_least": 0.5},
        {"metric": "log_loss", "at_most": 0.3},
    ]
    with pytest.raises(CheckFailed) as failed:
        judged(tmp_path, gates, main={"auroc": 0.8812, "accuracy": 0.7, "log_loss": None})
    assert "2 of 3 gates" in failed.value.what
    assert "auroc is 0.8812, must be at least 0.9" in failed.value.what and "log_loss" in failed.value.what
    assert "accuracy" not in failed.value.what
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert not (tmp_path / "out" / "passed").exists() and report["passed"] is False
    assert [entry["passed"] for entry in report["gates"]] == [False, True, False]
    assert report["metrics"]["main"]["accuracy"] == 0.7


def test_a_gate_looks_at_its_own_export(tmp_path: Path) -> None:
    gates = [{"metric": "auroc", "at_least": 0.9, "export": "small"}]
    with pytest.raises(CheckFailed, match=r"small: auroc is 0\.8"):
        judged(tmp_path, gates, main={"auroc": 0.95}, small={"auroc": 0.8})


def test_a_gate_on_an_export_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="nobody"):
        judged(tmp_path, [{"metric": "auroc", "at_least": 0.9, "export": "nobody"}], main={"auroc": 0.95})
