"""Trainings of planted rows, through the step as the runner calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mlspec.engine.builder import CODES, NUMBERS, SCORES, Builder
from mlspec.plan.plain import plain
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.frozen import freeze
from mlspec.sdk.model import Model
from mlspec.spec.hardware import Hardware
from mlspec.spec.training import Training
from mlspec.steps.train import train

QUICK = {"epochs": 15, "batch_size": 64, "optimizer": {"kind": "adamw", "lr": 0.01}, "schedule": "one_cycle"}


def parameters(model: Model, training: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return what plan.yaml holds for a train step."""
    return {
        "seed": 3,
        "model": plain(model),
        "training": plain(Training.revive(QUICK if training is None else training)),
        "hardware": plain(Hardware.revive({"accelerator": "cpu"})),
        "data": {"target": {"threshold": 0.5}},
    } | more


def trained(given: dict[str, Any], prepared: Path, folder: Path, **context: Any) -> Path:
    """Run the step and return its output."""
    output = folder / "output"
    output.mkdir(parents=True)
    settings: dict[str, Any] = {"scratch": folder / "scratch", "say": lambda line: None} | context
    train(given, {"prepare": prepared}, output, Context(workspace=folder, **settings))
    return output


def exported(
    model: Model, folder: Path, inputs: ModelInputs, target: FittedTarget
) -> onnxruntime.InferenceSession:
    """Return a session over the trained model's own nodes."""
    builder = Builder("model")
    builder.input(NUMBERS, "float32", ("rows", inputs.numbers))
    builder.input(CODES, "int64", ("rows", len(inputs.sizes)))
    model = type(model).revive(freeze(plain(model)))
    builder.output(model.append(builder, folder, inputs, target), SCORES, "float32", ("rows", target.width))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as the scorer does: the sums of trees depend on the number of threads
    return onnxruntime.InferenceSession(builder.model().SerializeToString(), options)


def scores(session: onnxruntime.InferenceSession, rows: Encoded) -> NDArray[np.float32]:
    """Return the file's raw scores of encoded rows; what the file does not read is not fed."""
    feed = {NUMBERS: np.ascontiguousarray(rows.numbers), CODES: rows.codes.astype(np.int64)}
    found: NDArray[np.float32] = session.run(
        None, {item.name: feed[item.name] for item in session.get_inputs()}
    )[0]
    return found
