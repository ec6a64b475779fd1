"""`validate`, `why`, `show`, `schema`, `trust`: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlspec.cli.main import main
from mlspec.codes import CODES
from mlspec.compose.reader import read
from mlspec.spec.load import load
from mlspec.spec.schema import schema
from mlspec.spec.spec import Spec
from tests.spec.full_spec import TEXT, write_full


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    write_full(tmp_path)
    return tmp_path


def test_validate_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    assert (
        capsys.readouterr().out
        == "spec.yaml is valid: 'adult_income', binary target 'income', 5 features, model mlp\n"
    )
    assert main(["validate", "--no-data", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], told["features"], told["data_checked"]) == (True, 5, False)


def test_validate_tells_all_faults_and_ends_with_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "spec.yaml").write_text(TEXT.replace("epochs: 5", "epohcs: 5").replace("kind: csv", "kind: cvs"))
    assert main(["validate"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert (
        "spec.yaml:12:18" in told.err
        and "spec.yaml:40:3" in told.err
        and "did you mean 'epochs'?" in told.err
    )
    assert main(["validate", "--json"]) == 2
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert [fault["code"] for fault in faults] == ["MS0205", "MS0201"]
    assert faults[0]["where"] == {"document": "spec.yaml", "line": 12, "column": 18}


def test_why_shows_every_layer(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "top.yaml").write_text("training: {optimizer: {lr: 0.5}}\n")
    assert (
        main(["why", "training.optimizer.lr", "spec.yaml", "training.optimizer.lr=0.2", "-c", "top.yaml"])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "training.optimizer.lr = 0.2",
        "  from   training.optimizer.lr=0.2:1:23",
        "  over   top.yaml:1:28: 0.5",
        "  over   spec.yaml:42:32: 0.001",
    ]
    assert "Learning rate." in lines[-3] and "more than 0" in lines[-2]
    assert lines[-1] == "  steps  train, then export-main, evaluate-main, gate, package-online"


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("data.features.hours per week.clip", [1, 99], "spec.yaml"),
        ("evaluation.gates[0].at_least", 0.9, "spec.yaml"),
        ("evaluation.gates.0.metric", "auroc", "spec.yaml"),
        ("hardware.devices", 1, "mlspec:conf/hardware/cpu.yaml"),
        ("model.activation", "relu", None),
        ("model", None, "spec.yaml"),
    ],
)
def test_why_knows_every_key(
    key: str, value: Any, origin: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["why", key, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    if value is not None:
        assert told["value"] == value
    assert (told["origins"][-1]["where"]["document"] if told["origins"] else None) == origin
    assert told["description"]


def test_why_of_a_key_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "training.epohs"]) == 2
    assert "training.epochs" in capsys.readouterr().err
    assert main(["why", "lr"]) == 2
    assert "training.optimizer.lr" in capsys.readouterr().err


def test_why_explains_every_code(capsys: pytest.CaptureFixture[str]) -> None:
    for code in CODES:
        assert main(["why", code]) == 0
        assert capsys.readouterr().out.startswith(f"{code}: ")
    assert main(["why", "MS9999"]) == 2


@pytest.mark.parametrize("resolved", [False, True])
def test_what_show_prints_is_a_spec_that_means_the_same(
    here: Path, resolved: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = load(Path("spec.yaml"), ["model.dropout=0.25"]).spec
    words = ["show", "spec.yaml", "model.dropout=0.25", *(["--resolved"] if resolved else [])]
    assert main(words) == 0
    (here / "shown.yaml").write_text(capsys.readouterr().out)
    assert load(Path("shown.yaml")).spec == wanted
    assert main([*words, "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["model"]["dropout"] == 0.25
    assert ("batch_size" in tree["training"]) and ("activation" in tree["model"]) == resolved


def test_the_schema_is_closed_described_and_of_this_draft() -> None:
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    objects = [found, *(value for value in found["$defs"].values() if value.get("type") == "object")]
    assert len(objects) > 40
    for item in objects:
        assert item["additionalProperties"] is False
        for name, value in item["properties"].items():
            assert value.get("description") or name in ("kind",), (item.get("description"), name)


def test_the_schema_takes_what_the_language_takes_and_refuses_what_it_refuses() -> None:
    check = jsonschema.Draft202012Validator(schema())
    tree = read("spec.yaml", TEXT)[0].tree
    assert list(check.iter_errors(tree)) == []
    assert list(check.iter_errors(tree | {"training": None, "seed": "${training.epochs}", "x-note": 1})) == []
    wrong: list[dict[str, Any]] = [
        {"sead": 1},
        {"seed": "7"},
        {"name": "A B"},
        {"model": {"kind": "mlp", "max_depth": 3}},
        {"model": {"kind": "mpl"}},
        {"training": {"epochs": 0}},
        {"training": {"epohcs": 1}},
        {"evaluation": {"gates": [{"metric": "auroc", "at_leest": 1}]}},
        {"exports": {"Main": {"kind": "onnx"}}},
        {"deployments": {"a": {"kind": "rest", "port": "80"}}},
    ]
    for change in wrong:
        assert list(check.iter_errors(tree | change)), change


def test_a_spec_on_presets_may_leave_sections_to_them() -> None:
    check = jsonschema.Draft202012Validator(schema())
    tree = read("spec.yaml", TEXT)[0].tree
    without = {key: value for key, value in tree.items() if key != "model"} | {"defaults": [{"model": "mlp"}]}
    assert list(check.iter_errors(without)) == []
    assert list(check.iter_errors({key: value for key, value in without.items() if key != "defaults"}))


def test_the_schema_is_written_for_the_editor(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert main(["schema", "--write"]) == 0
    assert json.loads((here / ".mlspec" / "spec.schema.json").read_text()) == printed
    assert set(printed["properties"]) == {*Spec.model_fields, "defaults"}


def test_trust_and_forget(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust"]) == 3
    (here / "plugins" / "metric").mkdir(parents=True)
    (here / "plugins" / "metric" / "mine.py").write_text("raise RuntimeError\n")
    (here / "spec.yaml").write_text(TEXT.replace("metrics: [accuracy, ", "metrics: [mine, "))
    assert main(["validate"]) == 3
    assert "mlspec trust" in capsys.readouterr().err
    assert main(["trust", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plugins"] == ["plugins/metric/mine.py"]
    assert main(["validate"]) == 3
    assert "cannot be imported" in capsys.readouterr().err
    assert main(["trust", "spec.yaml", "--forget"]) == 0
    assert main(["validate"]) == 3
    assert "not trusted" in capsys.readouterr().err
