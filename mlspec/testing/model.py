"""What every model must do, whatever family it is of."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mlspec.errors import StepError
from mlspec.sdk.contract import ModelInputs, TargetKind
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import Model
from mlspec.spec.training import Training
from mlspec.testing.check import Check, hold
from mlspec.testing.lessons import exported, parameters, scores, trained
from mlspec.testing.planted import INPUTS, KINDS, hostile, planted, shards, target_of

SHAPES = {
    "numbers and codes": INPUTS,
    "numbers alone": ModelInputs(numbers=3),
    "codes alone": ModelInputs(numbers=0, sizes=(5, 5, 9)),
}
WORDS: dict[TargetKind, str] = {"binary": "two classes", "category": "several classes", "number": "a number"}
FLOORS: dict[TargetKind, float] = {"binary": 0.85, "category": 0.75, "number": 0.9}
"""Accuracy of classes, r2 of a number, that a planted signal must be learnt with."""
FILES = {"expected.npy", "history.csv", "history.json", "model.json", "provenance.json"}


def _learns(kind: TargetKind, model: Model, folder: Path) -> None:
    rows, held = planted(kind, 1600, 1), planted(kind, 800, 2)
    target = target_of(kind, rows)
    nasty = hostile(INPUTS)
    prepared = shards(folder / "prepare", INPUTS, target, train=rows, val=held, parity=nasty)
    output = trained(parameters(model), prepared, folder)
    session = exported(model, output, INPUTS, target)

    found = scores(session, held)
    if kind == "number":
        left = held.target - (found[:, 0] * target.std + target.mean)
        reached = 1 - float((left**2).sum() / ((held.target - held.target.mean()) ** 2).sum())
    else:
        labels = found[:, 0] > 0 if kind == "binary" else found.argmax(1)
        reached = float((labels == held.target).mean())
    name = "r2" if kind == "number" else "accuracy"
    hold(reached > FLOORS[kind], f"{name} {reached:.3f} on held-out rows, expected more than {FLOORS[kind]}")

    expected = np.load(output / "expected.npy", allow_pickle=False)
    hold(expected.dtype == np.float32, f"its scores are {expected.dtype}, and must be float32")
    shape = (nasty.rows, target.width)
    hold(expected.shape == shape, f"its scores have the shape {expected.shape}, and must have {shape}")
    hold(np.isfinite(expected).all(), "its scores of hostile rows are not all finite")
    # Of large inputs a sum keeps as many digits as its largest term does.
    scale = 1 + np.abs(nasty.numbers).max(1, keepdims=True)
    apart = float((np.abs(scores(session, nasty) - expected) / scale).max())
    hold(apart < 1e-5, f"its nodes answer hostile rows otherwise than it does itself, by {apart:.2g}")


def _takes(kind: TargetKind, inputs: ModelInputs, model: Model, folder: Path) -> None:
    rows = planted(kind, 300, 1, inputs)
    target = target_of(kind, rows)
    nasty = hostile(inputs, 50)
    prepared = shards(
        folder / "prepare", inputs, target, train=rows, val=planted(kind, 100, 2, inputs), parity=nasty
    )
    output = trained(parameters(model, {"epochs": 2}), prepared, folder)
    session = exported(model, output, inputs, target)
    none = scores(session, Encoded(nasty.numbers[:0], nasty.codes[:0], nasty.target))
    hold(none.shape == (0, target.width), f"of no rows it gives {none.shape}, not {(0, target.width)}")
    one = scores(session, Encoded(nasty.numbers[:1], nasty.codes[:1], nasty.target))
    hold(
        np.array_equal(one, scores(session, nasty)[:1]), "a row alone is answered otherwise than among others"
    )


def _repeats(kind: TargetKind, model: Model, folder: Path) -> None:
    rows = planted(kind, 500, 1)
    target = target_of(kind, rows)
    prepared = shards(
        folder / "prepare", INPUTS, target, train=rows, val=planted(kind, 99, 2), parity=hostile(INPUTS, 60)
    )
    given = parameters(model, {"epochs": 3})
    first = trained(given, prepared, folder / "here", logs=folder / "logs")
    second = trained(given, prepared, folder / "some" / "where" / "else")
    names = {file.name for file in first.iterdir()}
    hold(
        names - FILES in ({"weights.safetensors"}, {"model.onnx"}) and names >= FILES,
        f"it leaves {', '.join(sorted(names))}",
    )
    for name in sorted(names):
        same = (first / name).read_bytes() == (second / name).read_bytes()
        hold(same, f"two trainings of the same rows and seed leave another '{name}'")


def _takes_empty_splits(model: Model, folder: Path) -> None:
    rows = planted("binary", 200, 1)
    nothing = Encoded(rows.numbers[:0], rows.codes[:0], rows.target[:0])
    prepared = shards(
        folder / "prepare", INPUTS, target_of("binary", rows), train=rows, val=nothing, parity=nothing
    )
    given = parameters(model, {"epochs": 1})
    if getattr(model, "patience", None) is not None:
        try:
            trained(given, prepared, folder)
        except StepError as fault:
            hold("val split" in fault.what, f"it watches val, and says of an empty one: {fault.what}")
            return
        hold(False, "it has a 'patience', and does not refuse an empty val split")
    output = trained(given, prepared, folder)
    shape = np.load(output / "expected.npy").shape
    hold(shape == (0, 1), f"of no rows it gives {shape}, not (0, 1)")
    threshold = json.loads((output / "model.json").read_text())["threshold"]
    hold(threshold == 0.5, f"its threshold is {threshold}, and 0.5 was asked for")


def _names_its_keys(model: Model, folder: Path) -> None:
    unknown = sorted(type(model).uses - set(Training.model_fields))
    hold(not unknown, f"'uses' names {', '.join(unknown)}: no key of training")


def _noise(rows: int, seed: int) -> Encoded:
    """Return rows that say nothing about their classes, so that only the classes' weights can be learnt."""
    made = planted("binary", rows, seed)
    truth = np.random.default_rng(seed).integers(0, 2, rows).astype(np.float64)
    return Encoded(made.numbers, made.codes, truth)


def _heavy(rows: Encoded) -> Encoded:
    weight = np.where(rows.target == 1, 9.0, 1.0).astype(np.float32)
    return Encoded(rows.numbers, rows.codes, rows.target, weight)


def _heeds_weights(model: Model, folder: Path) -> None:
    rows, held = _noise(600, 1), _noise(300, 2)
    target = target_of("binary", rows)
    parts: dict[str, Any] = {"inputs": INPUTS, "target": target, "parity": held}
    plain = shards(folder / "plain", train=rows, val=held, **parts)
    weighted = shards(folder / "weighted", train=_heavy(rows), val=_heavy(held), **parts)

    def mean(output: Path) -> float:
        return float((1 / (1 + np.exp(-np.load(output / "expected.npy").astype(float)))).mean())

    training = {"epochs": 10, "batch_size": 32, "optimizer": {"kind": "adamw", "lr": 0.01}}
    without = mean(trained(parameters(model, training), plain, folder / "1"))
    by_row = mean(trained(parameters(model, training), weighted, folder / "2"))
    hold(without < 0.6, f"of rows that say nothing it answers {without:.2f} on average, not about a half")
    hold(
        by_row > without + 0.15,
        f"rows of a class that weigh nine times more move its mean answer from {without:.2f} to {by_row:.2f}",
    )
    if "class_weights" not in type(model).uses:
        return
    heavy = parameters(model, training | {"class_weights": {"yes": 9.0}})
    by_class = mean(trained(heavy, plain, folder / "3"))
    hold(
        abs(by_class - by_row) < 1e-6,
        f"a class's weight gives {by_class:.4f}, and the same weight of each row {by_row:.4f}",
    )


CHECKS = (
    *(
        Check(
            f"learns a planted signal of {WORDS[kind]}, and its nodes answer as it does",
            "look at `module` or `fit`, then at `append`: it must build what was trained",
            partial(_learns, kind),
        )
        for kind in KINDS
    ),
    *(
        Check(
            f"takes {name} and learns {WORDS[kind]}",
            "`inputs.numbers` and `inputs.sizes` may each be empty, and rows come one by one as well",
            partial(_takes, kind, inputs),
        )
        for name, inputs in SHAPES.items()
        for kind in KINDS
    ),
    *(
        Check(
            f"gives the same bytes twice for {WORDS[kind]}",
            "draw random numbers from torch's or numpy's own generators, or from `options.seed`",
            partial(_repeats, kind),
        )
        for kind in KINDS
    ),
    Check("takes empty splits", "rows to answer and the val split may be empty", _takes_empty_splits),
    Check(
        "obeys keys that there are, and a spec that sets another is refused",
        "write the names of keys of `training` into `uses`",
        _names_its_keys,
    ),
    Check(
        "heeds the weights of rows and classes",
        "a FittedModel passes `train.weight` and `options.class_weights` on to its library",
        _heeds_weights,
    ),
)
