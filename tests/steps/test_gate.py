import json
from pathlib import Path

import pytest

from mlspec.errors import CheckFailed
from mlspec.sdk.context import Context
from mlspec.steps.gate import gate


def judged(at: Path, gates: list[dict], own: dict | None = None, **metrics: dict) -> Path:
    output = at / "out"
    output.mkdir()
    inputs = {}
    for name, values in metrics.items():
        inputs[f"evaluate-{name}"] = at / name
        (at / name).mkdir()
        (at / name / "metrics.json").write_text(json.dumps(values))
        ranges = {key: [value - 0.05, value + 0.05] for key, value in values.items() if value is not None}
        (at / name / "intervals.json").write_text(json.dumps({"metrics": ranges}))
        parts = [{"value": "f", "rows": 50, "metrics": values, "intervals": ranges}]
        (at / name / "slices.json").write_text(json.dumps({"slices": {"sex": parts}}))
    baseline = "accepted.json" if (at / "accepted.json").exists() else None
    parameters = {"evaluation": {"gates": gates}, "baseline": baseline}
    if own is not None:
        parameters["exports"] = {name: {"gates": found} for name, found in own.items()}
    gate(parameters, inputs, output, Context(workspace=at, step="gate"))
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
    assert (
        "auroc is 0.8812 (0.83-0.93), must be at least 0.9" in failed.value.what
        and "log_loss" in failed.value.what
    )
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


def test_a_gate_is_held_against_what_was_accepted_or_another_export(tmp_path: Path) -> None:
    accepted = {"exports": {"small": {"metrics": {"auroc": 0.95}, "intervals": {}, "slices": {}}}}
    (tmp_path / "accepted.json").write_text(json.dumps(accepted))
    options = {"metric": "auroc", "export": "small", "may_drop": 0.01}
    gates = [options | {"against": "baseline"}, options | {"against": "main"}]
    with pytest.raises(CheckFailed) as failed:
        judged(tmp_path, gates, main={"auroc": 0.9}, small={"auroc": 0.92})
    assert "1 of 2 gates" in failed.value.what and "the baseline's 0.95 may drop by 0.01" in failed.value.what
    assert "mlspec accept" in failed.value.fix
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert "0.9 of 'main' may drop by 0.01" in report["gates"][1]["text"]


def test_a_gate_on_slices_sees_them(tmp_path: Path) -> None:
    gates = [{"metric": "auroc", "slices": ["sex"], "at_least": 0.95}]
    with pytest.raises(CheckFailed, match=r"auroc of sex=f \(50 rows\) is 0\.9 \(0\.85-0\.95\)"):
        judged(tmp_path, gates, main={"auroc": 0.9})


def test_a_gate_of_an_export_is_told_with_its_place_and_its_export(tmp_path: Path) -> None:
    own = {"small": [{"metric": "auroc", "export": "small", "against": "main", "may_drop": 0.002}]}
    gates = [{"metric": "auroc", "at_least": 0.5}]
    with pytest.raises(CheckFailed) as failed:
        judged(tmp_path, gates, own, main={"auroc": 0.9}, small={"auroc": 0.89})
    assert failed.value.where == "exports.small.gates[0]"
    assert "small: auroc is 0.89" in failed.value.what and "at least 0.898" in failed.value.what
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {entry["export"]: entry["passed"] for entry in report["gates"]} == {"main": True, "small": False}


def test_a_gate_of_the_only_export_names_it_too(tmp_path: Path) -> None:
    own = {"main": [{"metric": "auroc", "export": "main", "at_least": 0.5}]}
    output = judged(tmp_path, [], own, main={"auroc": 0.9})
    (entry,) = json.loads((output / "report.json").read_text())["gates"]
    assert entry["text"].startswith("main: auroc is 0.9")
