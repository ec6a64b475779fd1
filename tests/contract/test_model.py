"""What every model must do, whatever family it is of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from mlspec import registry
from mlspec.errors import StepError
from mlspec.sdk.contract import ModelInputs, TargetKind
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import Model
from mlspec.spec.training import Training
from tests.lessons import exported, parameters, scores, trained
from tests.planted import INPUTS, KINDS, hostile, planted, shards, target_of

MODELS = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("model")
    for place, example in enumerate(registry.find("model", kind).examples())
]
SHAPES = {
    "numbers and codes": INPUTS,
    "numbers": ModelInputs(numbers=3),
    "codes": ModelInputs(numbers=0, sizes=(5, 5, 9)),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> TargetKind:
    found: TargetKind = request.param
    return found


@pytest.mark.parametrize("model", MODELS)
def test_it_learns_a_planted_signal_and_its_nodes_answer_alike(
    model: Model, kind: TargetKind, tmp_path: Path
) -> None:
    rows, held = planted(kind, 1600, 1), planted(kind, 800, 2)
    target = target_of(kind, rows)
    nasty = hostile(INPUTS)
    prepared = shards(tmp_path / "prepare", INPUTS, target, train=rows, val=held, parity=nasty)
    output = trained(parameters(model), prepared, tmp_path)
    session = exported(model, output, INPUTS, target)

    found = scores(session, held)
    if kind == "number":
        assert r2_score(held.target, found[:, 0] * target.std + target.mean) > 0.9
    elif kind == "binary":
        assert accuracy_score(held.target, found[:, 0] > 0) > 0.85
    else:
        assert accuracy_score(held.target, found.argmax(1)) > 0.75

    expected = np.load(output / "expected.npy", allow_pickle=False)
    assert expected.dtype == np.float32
    assert expected.shape == (nasty.rows, target.width)
    assert np.isfinite(expected).all()
    # Of large inputs a sum keeps as many digits as its largest term does.
    scale = 1 + np.abs(nasty.numbers).max(1, keepdims=True)
    assert (np.abs(scores(session, nasty) - expected) / scale).max() < 1e-5


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_it_takes_any_shape_of_rows(model: Model, shape: str, kind: TargetKind, tmp_path: Path) -> None:
    inputs = SHAPES[shape]
    rows = planted(kind, 300, 1, inputs)
    target = target_of(kind, rows)
    nasty = hostile(inputs, 50)
    prepared = shards(
        tmp_path / "prepare", inputs, target, train=rows, val=planted(kind, 100, 2, inputs), parity=nasty
    )
    output = trained(parameters(model, {"epochs": 2}), prepared, tmp_path)
    session = exported(model, output, inputs, target)
    none = Encoded(nasty.numbers[:0], nasty.codes[:0], nasty.target)
    assert scores(session, none).shape == (0, target.width)
    one = Encoded(nasty.numbers[:1], nasty.codes[:1], nasty.target)
    assert np.array_equal(scores(session, one), scores(session, nasty)[:1])


@pytest.mark.parametrize("model", MODELS)
def test_the_same_rows_and_seed_give_the_same_bytes(model: Model, kind: TargetKind, tmp_path: Path) -> None:
    rows = planted(kind, 500, 1)
    target = target_of(kind, rows)
    prepared = shards(
        tmp_path / "prepare", INPUTS, target, train=rows, val=planted(kind, 99, 2), parity=hostile(INPUTS, 60)
    )
    given = parameters(model, {"epochs": 3})
    first = trained(given, prepared, tmp_path / "here", logs=tmp_path / "logs")
    second = trained(given, prepared, tmp_path / "some" / "where" / "else")
    names = sorted(file.name for file in first.iterdir())
    weights = "weights.safetensors" if "weights.safetensors" in names else "model.onnx"
    assert names == sorted(
        ["expected.npy", "history.csv", "history.json", "model.json", "provenance.json", weights]
    )
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


@pytest.mark.parametrize("model", MODELS)
def test_an_empty_parity_and_an_empty_val_split_are_no_trouble(model: Model, tmp_path: Path) -> None:
    rows = planted("binary", 200, 1)
    nothing = Encoded(rows.numbers[:0], rows.codes[:0], rows.target[:0])
    prepared = shards(
        tmp_path / "prepare", INPUTS, target_of("binary", rows), train=rows, val=nothing, parity=nothing
    )
    given = parameters(model, {"epochs": 1})
    if getattr(model, "patience", None) is not None:
        with pytest.raises(StepError, match="val split"):
            trained(given, prepared, tmp_path)
        return
    output = trained(given, prepared, tmp_path)
    assert np.load(output / "expected.npy").shape == (0, 1)
    assert json.loads((output / "model.json").read_text())["threshold"] == 0.5


@pytest.mark.parametrize("model", MODELS)
def test_what_it_obeys_are_keys_of_training(model: Model) -> None:
    assert type(model).uses <= set(Training.model_fields)


def _noise(rows: int, seed: int) -> Encoded:
    """Return rows that say nothing about their classes, so that only the classes' weights can be learnt."""
    made = planted("binary", rows, seed)
    return Encoded(
        made.numbers, made.codes, np.random.default_rng(seed).integers(0, 2, rows).astype(np.float64)
    )


def _heavy(rows: Encoded) -> Encoded:
    weight = np.where(rows.target == 1, 9.0, 1.0).astype(np.float32)
    return Encoded(rows.numbers, rows.codes, rows.target, weight)


@pytest.mark.parametrize("model", MODELS)
def test_weights_of_rows_and_classes_move_it(model: Model, tmp_path: Path) -> None:
    rows, held = _noise(600, 1), _noise(300, 2)
    target = target_of("binary", rows)
    prepared = shards(tmp_path / "plain", INPUTS, target, train=rows, val=held, parity=held)
    weighted = shards(
        tmp_path / "weighted", INPUTS, target, train=_heavy(rows), val=_heavy(held), parity=held
    )

    def mean(output: Path) -> float:
        return float((1 / (1 + np.exp(-np.load(output / "expected.npy").astype(float)))).mean())

    training = {"epochs": 10, "batch_size": 32, "optimizer": {"kind": "adamw", "lr": 0.01}}
    plain = mean(trained(parameters(model, training), prepared, tmp_path / "1"))
    by_row = mean(trained(parameters(model, training), weighted, tmp_path / "2"))
    by_class = mean(
        trained(parameters(model, training | {"class_weights": {"yes": 9.0}}), prepared, tmp_path / "3")
    )
    assert plain < 0.6
    assert by_row > plain + 0.15
    assert abs(by_class - by_row) < 1e-6
