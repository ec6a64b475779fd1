"""Models over the hostile table, as joined files and as queries."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import save_file

from mlspec import registry
from mlspec.engine.exporting.join import Joined, Parts, join
from mlspec.engine.graph.features import build_features, shape
from mlspec.engine.graph.session import Session
from mlspec.engine.querying.ask import arrays, refused
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.feature import FittedColumn
from mlspec.sdk.model import FitOptions
from tests import hostile

TARGETS = {
    "binary": FittedTarget(column="y", kind="binary", classes=("no", "it's"), counts=(5, 5)),
    "category": FittedTarget(column="y", kind="category", classes=('a"', "b\\", "ç; --"), counts=(1, 2, 3)),
    "number": FittedTarget(column="y", kind="number", mean=1e6, std=12.5),
}
MODELS = ("linear", "gradient_boosting")
CALIBRATED = ("temperature", "isotonic")
_FOUND = {
    "temperature": {"temperature": 1.7},
    "isotonic": {"scores": [-1.0, 0.0, 0.3, 2.0], "probabilities": [0.1, 0.4, 0.45, 0.9]},
}


def joined(model: str, kind: str, folder: Path, *, calibration: str | None = None) -> Joined:
    """One whole file over the hostile columns."""
    columns = _fitted()
    target, features, inputs = TARGETS[kind], build_features(columns), shape(columns)
    if model == "linear":
        plugin = registry.find("model", model).revive({})
        module, random = plugin.module(inputs, target), np.random.default_rng(0)
        for weight in module.parameters():
            weight.data = torch.tensor(random.normal(0, 0.3, weight.shape), dtype=torch.float32)
        save_file(module.state_dict(), folder / "weights.safetensors")
    else:
        plugin = registry.find("model", model).revive({"trees": 25, "max_leaves": 12})
        rows = _encoded(features.SerializeToString(), kind)
        (folder / "model.onnx").write_bytes(
            plugin.fit(rows, None, inputs, target, FitOptions(0, None, 1)).onnx
        )
    threshold = 0.4 if kind == "binary" else None
    parts = Parts("hostile", features, hostile.INPUTS, target, threshold)

    def append(builder):
        scores = plugin.append(builder, folder, inputs, target)
        if calibration is None:
            return scores
        way = registry.find("calibration", calibration).revive({})
        return way.append(builder, scores, _FOUND[calibration])

    return join(parts, append)


@functools.cache
def _fitted() -> tuple[FittedColumn, ...]:
    return hostile.fitted()


def _encoded(features: bytes, kind: str) -> Encoded:
    found = Session(features, hostile.INPUTS).run(hostile.legal(1, 3_000))
    numbers, codes = found["mlspec/numbers"], found["mlspec/codes"]
    score = numbers[:, 0] + 0.2 * codes[:, 0] + np.random.default_rng(2).normal(0, 1, len(numbers))
    bounds = {"binary": [0.5], "category": [0.3, 0.7], "number": []}[kind]
    truth = np.digitize(score, np.quantile(score, bounds)) if bounds else score
    return Encoded(numbers, codes, truth.astype(np.float64))


def held(found: pa.Table, joined: Joined, rows: pa.RecordBatch) -> None:
    """Answers of a query are those of the file: numbers to float32's last digits, each label."""
    assert refused(found) == [None] * rows.num_rows
    answers = arrays(found, joined.contract)
    expected = Session(joined.model.SerializeToString(), joined.contract.inputs).run(rows)
    if "value" in expected:
        assert np.abs(answers["value"] - expected["value"]).max() <= 1e-5 * joined.contract.target.std
        return
    assert np.abs(answers["probabilities"] - expected["probabilities"]).max() <= 1e-6
    assert (answers["label"] == expected["label"]).all()
