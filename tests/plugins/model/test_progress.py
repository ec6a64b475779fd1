"""Trees that are fitted tell how many are done, and are the same trees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mlspec.engine import beat
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import FitOptions
from mlspec.sdk.slot import Slot


@pytest.mark.parametrize(
    ("options", "unit"),
    [
        ({"kind": "gradient_boosting", "trees": 60, "max_features": 0.5}, "rounds"),
        ({"kind": "gradient_boosting", "trees": 60, "patience": 50}, "rounds at most"),
        ({"kind": "forest", "trees": 60}, "trees"),
    ],
)
def test_it_tells_how_many_are_done(
    options: dict[str, object], unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat, "PAUSE", 0.001)
    random = np.random.default_rng(0)
    numbers = random.normal(0, 1, (4000, 5)).astype(np.float32)
    codes = random.integers(0, 4, (4000, 1)).astype(np.int32)
    truth = (numbers[:, 0] + random.normal(0, 1, 4000) > 0).astype(np.float64)
    rows, inputs = Encoded(numbers, codes, truth), ModelInputs(numbers=5, sizes=(4,))
    target = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1))
    model, told = Slot("model").choose(options), list[tuple[float, float | None, str]]()
    quiet = FitOptions(7, None, 1)
    heard = dataclasses.replace(quiet, progress=lambda *given: told.append(given))
    fitted = model.fit(rows, rows, inputs, target, heard)
    assert fitted.onnx == model.fit(rows, rows, inputs, target, quiet).onnx
    done = [line[0] for line in told]
    assert told and {line[1:] for line in told} == {(60, unit)}
    assert done == sorted(done) and done[0] >= 0 and done[-1] <= 60
