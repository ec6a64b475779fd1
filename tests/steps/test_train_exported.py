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

TRAINING = {"epochs": 2, "batch_size": 64, "optimizer": {"kind": "adam", "lr": 0.01}}
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
    model: Any = Slot("model").choose({"kind": "mlp", "hidden": (8, 8)})
    unseen = planted("binary", 500, 4)

    def answer(name: str, hardware: dict[str, Any]) -> Any:
        given = parameters(model, TRAINING) | {"hardware": plain(Hardware.revive(hardware))}
        output = trained(given, prepared, folder / name)
        return scores(exported(model, output, INPUTS, target), unseen)

    return answer


@pytest.fixture(scope="module")
def expected(answers: Any) -> Any:
    """Give the answers of the file of one process."""
    return answers("one", {"accelerator": "cpu"})


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "tolerance"), STRATEGIES, ids=[str(one) for one, _ in STRATEGIES])
def test_several_processes_export_the_answers_of_one(
    strategy: dict[str, Any], tolerance: float, answers: Any, expected: Any
) -> None:
    """50 steps, the last batch of each epoch unequal."""
    devices = 2 * strategy.get("tensor", 1)
    found = answers(
        "-".join(map(str, strategy.values())),
        {"accelerator": "cpu", "devices": devices, "strategy": strategy},
    )
    assert float(np.ptp(expected)) > 1, "a model that learnt nothing answers alike whatever trained it"
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
