"""What each kind gave when its revision was set: other results of the same revision would be reused as equal.

Renew after raising a revision: `MLSPEC_RENEW=1 python -m pytest tests/contract/test_revisions.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pytest
import torch

from mlspec import registry
from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.graph.features import build_features, fit_features, input_columns
from mlspec.engine.graph.session import Session
from mlspec.sdk.metric import Answers
from tests.hostile import training
from tests.lessons import parameters, trained
from tests.planted import INPUTS, KINDS, hostile, planted, shards, target_of
from tests.tables import assigned, frame

GOLDEN = Path(__file__).parents[1] / "golden" / "revisions.json"
HOLDING = {"number": "number", "integer": "code", "string": "word", "boolean": "flag", "datetime": "moment"}


def metric(example: Any, folder: Path) -> list[float]:
    random = np.random.default_rng(1)
    found = []
    for target in example.targets:
        if target == "number":
            truth = random.normal(10, 3, 60)
            answers = Answers(target, truth, None, None, truth + random.normal(0, 1, 60), random.random(60))
        else:
            shares = random.dirichlet(np.ones(2 if target == "binary" else 3), 60)
            truth = random.integers(0, shares.shape[1], 60).astype(float)
            answers = Answers(target, truth, shares, shares.argmax(1), None, random.random(60))
        found.append(example.value(answers))
    return found


def loss(example: Any, folder: Path) -> list[float]:
    found: list[float] = []
    for target in example.targets:
        width = 3 if target == "category" else 1
        scores = torch.linspace(-3, 3, 12 * width).reshape(12, width)
        places = torch.arange(12)
        truth = {"number": torch.linspace(2, -2, 12), "binary": (places % 2).float(), "category": places % 3}
        found += example.each(scores, truth[target], target).tolist()
    return found


def calibration(example: Any, folder: Path) -> list[float]:
    random = np.random.default_rng(2)
    found: list[float] = []
    for target in example.targets:
        width = 3 if target == "category" else 1
        scores = random.normal(0, 4, (200, width)).astype(np.float32)
        truth = (scores[:, 0] / 4 + random.normal(0, 1, 200) > 0).astype(np.int64)
        told = example.fit(scores, truth, random.uniform(0.5, 2, 200))
        found += example.apply(told, scores[:10]).ravel().tolist()
    return found


def schedule(example: Any, folder: Path) -> list[float]:
    made = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, found = example.build(made, 12), []
    for _ in range(12):
        found.append(made.param_groups[0]["lr"])
        made.step()
        scheduler.step()
    return found


def optimizer(example: Any, folder: Path) -> list[float]:
    weights = torch.nn.Parameter(torch.linspace(-1, 1, 5, dtype=torch.float64))
    made = example.build([weights])
    for _ in range(5):
        made.zero_grad()
        (weights**4 + weights).sum().backward()
        made.step()
    return weights.detach().tolist()


def split(example: Any, folder: Path) -> list[float]:
    return [float(("train", "val", "test").index(part)) for part in assigned(example, frame())]


def feature(example: Any, folder: Path) -> list[float]:
    found: list[float] = []
    for held in example.takes:
        table = training().select([HOLDING[held]]).slice(0, 400).rename_columns(["x"])
        if example.kind == "binary" and held in ("string", "integer"):
            continue  # those columns hold more than two values
        columns = fit_features(ibis.memtable(table), {"x": example})
        session = Session(build_features(columns).SerializeToString(), input_columns(columns, {"x": held}))
        encoded = session.run(table.slice(0, 25).combine_chunks().to_batches()[0])
        found += [*encoded[NUMBERS].ravel().tolist(), *encoded[CODES].ravel().tolist()]
    return found


def model(example: Any, folder: Path) -> list[float]:
    found: list[float] = []
    for kind in KINDS:
        rows, held = planted(kind, 400, 1), planted(kind, 200, 2)
        target = target_of(kind, rows)
        prepared = shards(
            folder / kind / "prepare", INPUTS, target, train=rows, val=held, parity=hostile(INPUTS, 50)
        )
        output = trained(parameters(example, {"epochs": 2}), prepared, folder / kind)
        found += np.tanh(np.load(output / "expected.npy", allow_pickle=False)[:8]).ravel().tolist()
    return found


RESULTS: dict[str, tuple[Callable[[Any, Path], list[float]], float]] = {
    "calibration": (calibration, 1e-5),
    "feature": (feature, 1e-9),
    "loss": (loss, 1e-5),
    "metric": (metric, 1e-9),
    "model": (model, 2e-3),
    "optimizer": (optimizer, 1e-9),
    "schedule": (schedule, 1e-9),
    "split": (split, 0.0),
}
"""How each slot's results are made, and how far those of another machine may lie apart."""

CASES = [(slot, kind) for slot in RESULTS for kind in registry.kinds(slot)]


@pytest.mark.parametrize(("slot", "kind"), CASES, ids=[f"{slot}-{kind}" for slot, kind in CASES])
def test_results_are_those_of_the_revision(slot: str, kind: str, tmp_path: Path) -> None:
    make, tolerance = RESULTS[slot]
    found = registry.find(slot, kind)
    results = [make(example, tmp_path / str(place)) for place, example in enumerate(found.examples())]
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    name = f"{slot}/{kind}"
    if os.environ.get("MLSPEC_RENEW"):
        golden[name] = {
            "revision": found.revision,
            "results": [[float(f"{v:.12g}") for v in r] for r in results],
        }
        lines = [f"  {json.dumps(key)}: {json.dumps(golden[key])}" for key in sorted(golden)]
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        return
    assert name in golden, f"'{name}' is new: write its results down as this file's head says"
    assert golden[name]["revision"] == found.revision, "renew the golden results: see this file's head"
    assert len(golden[name]["results"]) == len(results)
    for before, now in zip(golden[name]["results"], results, strict=True):
        assert now == pytest.approx(before, abs=tolerance, rel=0, nan_ok=True), (
            f"raise {found.__name__}.revision"
        )
