"""The exported file of a training that was spread, held to that of a single process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlspec.plan.plain import plain
from mlspec.sdk.slot import Slot
from mlspec.spec.hardware import Hardware
from tests.lessons import exported, parameters, scores, trained
from tests.planted import INPUTS, hostile, planted, shards, target_of

TRAINING = {"epochs": 2, "batch_size": 64}
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mlp": ({"kind": "mlp", "hidden": (8, 8)}, {"kind": "adam", "lr": 0.01}),
    # Not by Adam, which makes rounding in biases that are normalised away as large as a step.
    "resnet": (
        {"kind": "resnet", "width": 8, "hidden": 8, "blocks": 1, "hidden_dropout": 0.0},
        {"kind": "sgd", "lr": 0.05, "momentum": 0.9},
    ),
}
"""Models, and what moves their weights."""
STRATEGIES: list[tuple[dict[str, Any], float]] = [
    ({"kind": "ddp"}, 1e-5),
    ({"kind": "fsdp", "unit": 1}, 1e-5),
    ({"kind": "tensor_parallel"}, 1e-4),
    ({"kind": "tensor_parallel", "tensor": 2}, 1e-4),
    ({"kind": "deepspeed", "stage": 3}, 1e-4),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give what trains on planted rows, exports, and answers rows that no training saw."""
    folder = tmp_path_factory.mktemp("exported")
    rows = planted("binary", 1565, 1)
    target = target_of("binary", rows)
    parts = {"train": rows, "val": planted("binary", 301, 2), "parity": hostile(INPUTS, 40)}
    prepared = shards(folder / "prepare", INPUTS, target, **parts)
    unseen = planted("binary", 500, 4)

    def answer(kind: str, name: str, hardware: dict[str, Any]) -> Any:
        options, optimizer = MODELS[kind]
        model: Any = Slot("model").choose(options)
        given = parameters(model, TRAINING | {"optimizer": optimizer}) | {
            "hardware": plain(Hardware.revive(hardware))
        }
        output = trained(given, prepared, folder / kind / name)
        return scores(exported(model, output, INPUTS, target), unseen)

    return answer


@pytest.fixture(scope="module")
def expected(answers: Any) -> Any:
    """Give the answers of the file of one process, by the kind of model."""
    return {kind: answers(kind, "one", {"accelerator": "cpu"}) for kind in MODELS}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("strategy", "tolerance"), STRATEGIES, ids=[str(one) for one, _ in STRATEGIES])
def test_several_processes_export_the_answers_of_one(
    strategy: dict[str, Any], tolerance: float, model: str, answers: Any, expected: Any
) -> None:
    """50 steps, the last batch of each epoch unequal."""
    devices = 2 * strategy.get("tensor", 1)
    found = answers(
        model,
        "-".join(map(str, strategy.values())),
        {"accelerator": "cpu", "devices": devices, "strategy": strategy},
    )
    assert float(np.ptp(expected[model])) > 1, "a model that learnt nothing answers alike whatever trained it"
    np.testing.assert_allclose(found, expected[model], rtol=tolerance, atol=tolerance)
