"""`sweep:` says what is searched; what cannot be searched is told at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.errors import Place, SpecError
from mlspec.spec.load import load
from mlspec.spec.space import space

SPEC = """\
apiVersion: mlspec/v1
name: a
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary}
  features: {x: number}
model: MODEL
evaluation: {metrics: [auroc, accuracy]}
sweep:
  metric: auroc
  parameters:
"""
LINE = SPEC.count("\n") + 1


def write(folder: Path, *parameters: str, model: str = "{kind: mlp, hidden: [8]}", **words: str) -> Path:
    text = SPEC.replace("MODEL", model) + "".join(f"    {line}\n" for line in parameters)
    text += "".join(f"  {name}: {value}\n" for name, value in words.items() if name != "metric")
    if "metric" in words:
        text = text.replace("metric: auroc", f"metric: {words['metric']}")
    (folder / "rows.csv").write_text("x,y\n1,yes\n2,no\n")
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("line", "code", "column", "what", "fix"),
    [
        (
            "model.dropot: {low: 0, high: 0.5}",
            "MS0351",
            5,
            "unknown key 'dropot'",
            "did you mean 'model.dropout'?",
        ),
        ("modle.dropout: {low: 0, high: 0.5}", "MS0351", 5, "cannot be searched", "'model.dropout'"),
        (
            "data.max_rejects: {low: 0, high: 0.5}",
            "MS0351",
            5,
            "prepares the data once",
            "training.optimizer",
        ),
        ("training.checkpoint.every: {choices: [5m]}", "MS0351", 5, "changes no result", "one key"),
        ("training: {choices: [{epochs: 3}]}", "MS0351", 5, "cannot be searched", "one key"),
        ("model.dropout: {low: 0, high: 1.5}", "MS0352", 35, "less than 1", ""),
        ("training.batch_size: {low: 0, high: 8}", "MS0352", 32, "'0'", ""),
        ("training.batch_size: {low: 2.5, high: 8}", "MS0352", 32, "a whole number", ""),
        ("model.hidden: {choices: [[8], [x]]}", "MS0352", 35, "a whole number", ""),
        ("model: {choices: [{kind: mlp}, {kind: mlq}]}", "MS0352", 36, "no model is called 'mlq'", "'mlp'"),
        ("model.dropout: {low: 0.5, high: 0.1}", "MS0352", 26, "must be less", "swap"),
        ("model.dropout: {low: 0, high: 0.1, log: true}", "MS0352", 26, "powers of ten", "above 0"),
        ("model.dropout: {low: 0.1}", "MS0352", 5, "high is missing", "low: ..., high: ..."),
        ("model.dropout: {low: 0, high: 0.1, step: 1}", "MS0352", 46, "beyond", "at most 0.1"),
        ("model.hidden: {choices: [[8], [8]]}", "MS0352", 35, "a second time", "remove"),
        ("model.hidden: {choices: [[8]], low: 3}", "MS0352", 36, "'low' is for", "remove low"),
    ],
)
def test_what_cannot_be_searched_is_told_at_its_place(
    tmp_path: Path, line: str, code: str, column: int, what: str, fix: str
) -> None:
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, line))
    (fault,) = caught.value.faults
    assert (fault.code, isinstance(fault.where, Place) and (fault.where.line, fault.where.column)) == (
        code,
        (LINE, column),
    )
    assert what in fault.what
    assert fix in (fault.fix or "")


@pytest.mark.parametrize(
    ("words", "model", "code", "what"),
    [
        ({"metric": "aurocc"}, "mlp", "MS0353", "not among evaluation.metrics (auroc, accuracy)"),
        ({"metric": "f1"}, "mlp", "MS0353", "not among"),
        ({"pruner": "median"}, "forest", "MS0353", "has none"),
        ({"trials": "0"}, "mlp", "MS0204", "sweep.trials"),
        ({"sampler": "grid"}, "mlp", "MS0204", "grid"),
    ],
)
def test_what_cannot_be_ranked_is_told(
    tmp_path: Path, words: dict[str, str], model: str, code: str, what: str
) -> None:
    line = "model.max_depth: {low: 2, high: 9}" if model == "forest" else "model.dropout: {low: 0, high: 0.5}"
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, line, model=f"{{kind: {model}}}", **words))
    (fault,) = caught.value.faults
    assert fault.code == code
    assert what in fault.what


@pytest.mark.parametrize("key", ["training.batch_size", "training.optimizer.lr"])
def test_a_value_that_is_found_is_told_how_it_goes_without_the_sweep(tmp_path: Path, key: str) -> None:
    path = write(tmp_path, "model.dropout: {low: 0, high: 0.5}")
    with pytest.raises(SpecError) as caught:
        load(path, [f"{key}=auto"])
    (fault,) = caught.value.faults
    assert fault.code == "MS0353" and str(fault.where).startswith(f"{key}=auto")
    assert f"search '{key}', or train without the sweep: '~sweep'" in (fault.fix or "")
    assert load(path, ["~sweep", f"{key}=auto"]).spec.sweep is None


def test_parameters_inside_each_other_and_values_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, "model: {choices: [linear, mlp]}", "model.dropout: {low: 0, high: 0.5}"))
    assert "lies inside of 'model'" in caught.value.faults[0].what
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, "model: {choices: [forest, mlp]}", "training.epochs: {low: 1, high: 5}"))
    assert "does not use 'training.epochs'" in caught.value.faults[0].what


def test_a_dimension_knows_whether_its_key_takes_whole_numbers_only(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "training.batch_size: {low: 8, high: 64, step: 8}",
        "training.epochs: {low: 1, high: 3}",
        "model.dropout: {low: 0, high: 0.5}",
        "training.optimizer.weight_decay: {low: 0, high: 1}",
        "model.hidden: {choices: [[8], [8, 8]]}",
    )
    loaded = load(path)
    assert loaded.spec.sweep is not None
    found = space(loaded.spec.sweep.parameters, loaded.composed)
    assert [one.whole for one in found] == [True, True, False, False, False]
    assert found[4].choices == ([8], [8, 8])


def test_a_fault_elsewhere_is_told_once_and_no_parameter_is_blamed(tmp_path: Path) -> None:
    path = write(tmp_path, "model.dropout: {low: 0, high: 0.5}", "model.hidden: {choices: [[8], [9]]}")
    path.write_text(path.read_text() + "training: {epoch: 3}\n")
    with pytest.raises(SpecError) as caught:
        load(path)
    (fault,) = caught.value.faults
    assert "unknown key 'epoch'" in fault.what
