"""The step `train`: what it writes, what it refuses, how it goes on."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.metrics import f1_score

from mlspec.engine.preparing.sums import write_sums
from mlspec.engine.training.fit import CHECKPOINT
from mlspec.engine.training.row_sums import row_sums
from mlspec.errors import StepError
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import Model
from mlspec.sdk.slot import Slot
from tests.lessons import QUICK, parameters, trained
from tests.planted import INPUTS, hostile, planted, shards, target_of


def model(value: Any) -> Model:
    found = Slot("model").choose(value)
    assert isinstance(found, Model)
    return found


MLP = model({"kind": "mlp", "hidden": (8,)})
TREES = model({"kind": "gradient_boosting", "trees": 20})


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    rows = planted("binary", 500, 1)
    parts = {"train": rows, "val": planted("binary", 300, 2), "parity": hostile(INPUTS, 40)}
    return shards(tmp_path / "prepare", INPUTS, target_of("binary", rows), **parts)


def read(output: Path, name: str) -> Any:
    return json.loads((output / name).read_text())


def test_a_torch_model_leaves_weights_and_a_line_an_epoch(prepared: Path, tmp_path: Path) -> None:
    given = parameters(MLP, QUICK | {"epochs": 3, "early_stopping": {"metric": "auroc", "patience": 9}})
    output = trained(given, prepared, tmp_path)
    history = read(output, "history.json")["epochs"]
    assert [line["epoch"] for line in history] == [1, 2, 3]
    assert set(history[0]) == {"epoch", "lr", "train_loss", "val_loss", "val_auroc"}
    best = 1 + int(np.argmax([line["val_auroc"] for line in history]))
    assert read(output, "model.json") == {"family": "torch", "threshold": 0.5, "best_epoch": best}
    with open(output / "history.csv", newline="") as file:
        assert [{key: float(text) for key, text in line.items()} for line in csv.DictReader(file)] == history
    assert all(array.dtype == np.float32 for array in load_file(output / "weights.safetensors").values())


def test_a_fitted_model_leaves_a_graph(prepared: Path, tmp_path: Path) -> None:
    output = trained(parameters(TREES, {"class_weights": "balanced"}), prepared, tmp_path)
    assert read(output, "model.json") == {"family": "fitted", "threshold": 0.5, "best_epoch": None}
    assert (output / "model.onnx").stat().st_size > 1000


@pytest.mark.parametrize("chosen", [MLP, TREES])
def test_the_threshold_with_the_best_f1_is_chosen_on_val(chosen: Model, tmp_path: Path) -> None:
    rows = planted("binary", 500, 1)
    held = planted("binary", 300, 2)
    prepared = shards(
        tmp_path / "prepare", INPUTS, target_of("binary", rows), train=rows, val=held, parity=held
    )
    given = parameters(chosen, {"epochs": 1}, data={"target": {"threshold": "max_f1"}})
    output = trained(given, prepared, tmp_path)
    shares = 1 / (1 + np.exp(-np.load(output / "expected.npy")[:, 0].astype(float)))

    def f1(threshold: float) -> float:
        return float(f1_score(held.target, shares >= threshold))

    assert f1(read(output, "model.json")["threshold"]) == pytest.approx(max(map(f1, shares)))


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
@pytest.mark.parametrize(
    ("chosen", "training"),
    [
        (model({"kind": "mlp", "hidden": (64,)}), QUICK | {"epochs": 60}),
        (model({"kind": "gradient_boosting", "trees": 200, "min_rows": 3}), {}),
    ],
)
def test_calibration_is_fitted_on_val_and_changes_what_the_file_must_answer(
    kind: str, chosen: Model, training: dict[str, Any], tmp_path: Path
) -> None:
    random = np.random.default_rng(0)

    def noisy(seed: int, count: int) -> Encoded:
        rows = planted("binary", count, seed)
        flip = random.random(count) < 0.2
        return dataclasses.replace(rows, target=np.where(flip, 1 - rows.target, rows.target))

    rows, held = noisy(1, 200), noisy(2, 2000)  # few rows, learnt by heart: it is far too sure
    target = target_of("binary", rows)
    prepared = shards(tmp_path / "prepare", INPUTS, target, train=rows, val=held, parity=held)
    said: list[str] = []
    plain = trained(parameters(chosen, training), prepared, tmp_path / "plain")
    given = parameters(chosen, training | {"calibration": kind})
    output = trained(given, prepared, tmp_path / kind, say=said.append)
    told = read(output, "model.json")["calibration"]
    assert told["options"] == {"kind": kind} and told["rows"] == 2000
    assert told["after"]["calibration_error"] < 0.7 * told["before"]["calibration_error"]
    assert any(f"calibration by {kind}: error on val" in line for line in said)
    before, after = (np.load(folder / "expected.npy")[:, 0] for folder in (plain, output))
    assert not np.allclose(before, after)
    assert (np.diff(after[np.argsort(before, kind="stable")]) >= -1e-5).all()  # the order of rows is kept


def test_calibration_needs_rows_of_val_that_can_tell(tmp_path: Path) -> None:
    rows, few = planted("binary", 200, 1), planted("binary", 10, 2)
    target = target_of("binary", rows)
    prepared = shards(tmp_path / "prepare", INPUTS, target, train=rows, val=few, parity=few)
    with pytest.raises(StepError, match="10 rows of it cannot tell"):
        trained(parameters(TREES, {"calibration": "temperature"}), prepared, tmp_path)


def test_only_two_classes_have_a_threshold(tmp_path: Path) -> None:
    rows = planted("category", 300, 1)
    prepared = shards(
        tmp_path / "prepare", INPUTS, target_of("category", rows), train=rows, parity=hostile(INPUTS, 5)
    )
    output = trained(parameters(MLP, {"epochs": 1}), prepared, tmp_path)
    assert read(output, "model.json")["threshold"] is None


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        (
            {"training": {"class_weights": {"maybe": 2.0}}},
            "training.class_weights",
            "'maybe' is no class of 'y'",
        ),
        ({"hardware": {"devices": 2}}, "hardware.devices", "uses 1 device, and hardware asks for 2"),
        (
            {"training": {"early_stopping": {"metric": "rmse"}}},
            "training.early_stopping.metric",
            "'rmse' cannot judge",
        ),
    ],
)
def test_what_it_cannot_do_is_refused(
    changes: dict[str, Any], where: str, words: str, prepared: Path, tmp_path: Path
) -> None:
    given = parameters(MLP)
    given["training"] |= changes.get("training", {})
    given["hardware"] |= changes.get("hardware", {})
    with pytest.raises(StepError, match=words) as caught:
        trained(given, prepared, tmp_path)
    assert caught.value.where == where
    assert caught.value.fix


@pytest.mark.parametrize("chosen", [MLP, TREES])
def test_a_training_split_without_rows_is_refused(chosen: Model, tmp_path: Path) -> None:
    rows = planted("binary", 0, 1)
    prepared = shards(tmp_path / "prepare", INPUTS, target_of("binary", rows), train=rows, parity=rows)
    with pytest.raises(StepError, match="no row is in the training split"):
        trained(parameters(chosen), prepared, tmp_path)


def test_a_threshold_of_best_f1_needs_a_val_split(tmp_path: Path) -> None:
    rows = planted("binary", 100, 1)
    prepared = shards(tmp_path / "prepare", INPUTS, target_of("binary", rows), train=rows, parity=rows)
    with pytest.raises(StepError, match="'max_f1' is chosen on the val split"):
        trained(parameters(MLP, data={"target": {"threshold": "max_f1"}}), prepared, tmp_path)


def test_a_class_without_training_rows_is_named(tmp_path: Path) -> None:
    rows = planted("category", 200, 1)
    two = Encoded(rows.numbers, rows.codes, np.minimum(rows.target, 1.0))
    prepared = shards(tmp_path / "prepare", INPUTS, target_of("category", two), train=two, parity=two)
    with pytest.raises(StepError, match="no training row is of the class 'blue'"):
        trained(parameters(TREES), prepared, tmp_path)
    trained(parameters(MLP, {"epochs": 1}), prepared, tmp_path / "mlp")


def test_a_killed_step_goes_on_in_a_folder_of_its_own_and_then_forgets(
    prepared: Path, tmp_path: Path
) -> None:
    given = parameters(MLP, {"epochs": 4})
    expected = trained(given, prepared, tmp_path / "whole")
    assert not (tmp_path / "whole" / "scratch" / CHECKPOINT).exists()

    def stop(done: float, total: float | None, unit: str) -> None:
        if total is not None and done > total * 0.6:
            raise RuntimeError("down")

    scratch = tmp_path / "kept"
    with pytest.raises(RuntimeError, match="down"):
        trained(given, prepared, tmp_path / "killed", scratch=scratch, progress=stop, checkpoint_every=0.0)
    said: list[str] = []
    other = trained(parameters(MLP, {"epochs": 4}, seed=4), prepared, tmp_path / "other", say=said.append)
    assert not said
    found = trained(given, prepared, tmp_path / "again", scratch=scratch, say=said.append)
    assert said == ["resumed from epoch 2 step 4"]
    for file in expected.iterdir():
        assert (found / file.name).read_bytes() == file.read_bytes(), file.name
    assert (other / "weights.safetensors").read_bytes() != (found / "weights.safetensors").read_bytes()
    assert not (scratch / CHECKPOINT).exists()


def test_a_checkpoint_of_other_parameters_is_not_read(prepared: Path, tmp_path: Path) -> None:
    def stop(done: float, total: float | None, unit: str) -> None:
        if total is not None and done > total * 0.6:
            raise RuntimeError("down")

    scratch = tmp_path / "kept"
    with pytest.raises(RuntimeError, match="down"):
        trained(
            parameters(MLP, {"epochs": 4}), prepared, tmp_path / "killed", scratch=scratch, progress=stop,
            checkpoint_every=0.0,
        )  # fmt: skip
    said: list[str] = []
    trained(parameters(MLP, {"epochs": 5}), prepared, tmp_path / "changed", scratch=scratch, say=said.append)
    assert said == [
        "a checkpoint of other parameters or other data lies here: it is not used",
        "the training starts anew",
    ]


@pytest.mark.parametrize("chosen", [MLP, TREES], ids=["mlp", "gradient_boosting"])
def test_what_auto_became_is_told_in_the_logs_and_in_no_output(
    prepared: Path, tmp_path: Path, chosen: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    logs = tmp_path / "logs"
    logs.mkdir()
    output = trained(parameters(chosen, QUICK if chosen is MLP else {}), prepared, tmp_path, logs=logs)
    assert read(logs, "hardware.json") == {"accelerator": "cpu", "threads": 1}
    assert not (output / "hardware.json").exists()


def test_of_rows_that_stayed_in_a_database_sums_are_enough_for_equations_alone(tmp_path: Path) -> None:
    rows, linear = (
        planted("number", 500, 1),
        model({"kind": "linear", "solver": "normal_equations", "ridge": 1}),
    )
    parts = {"train": rows, "val": planted("number", 300, 2), "parity": hostile(INPUTS, 40)}
    target = target_of("number", rows)
    folder = shards(tmp_path / "prepare", INPUTS, target, **parts)
    here = trained(parameters(linear, {}), folder, tmp_path / "here")
    write_sums(folder / "sums", row_sums(rows, INPUTS, target))
    shutil.rmtree(folder / "shards" / "train")
    there = trained(parameters(linear, {}), folder, tmp_path / "there")
    for name in ("weights.safetensors", "expected.npy", "model.json"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    for other in (MLP, TREES):
        with pytest.raises(StepError, match="left the training rows in the database"):
            trained(parameters(other, QUICK if other is MLP else {}), folder, tmp_path / other.kind)
