"""What every optimizer must do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mlspec import registry
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.training import Optimizer
from mlspec.testing.check import Check
from mlspec.testing.optimizer import CHECKS, steps, weights
from tests.cases import cases

OPTIMIZERS = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("optimizer")
    for place, example in enumerate(registry.find("optimizer", kind).examples())
]
REFERENCE: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, "optimizer"))
def test_it_does_what_a_optimizer_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)


@pytest.mark.parametrize(
    "optimizer", [one for one in OPTIMIZERS if str(one.id).rpartition("-")[0] in REFERENCE]
)
def test_its_options_are_torch_s(optimizer: Optimizer) -> None:
    ours, theirs = weights(), weights()
    steps(optimizer.build(ours), ours, 20)
    options = {key: value for key, value in optimizer.model_dump().items() if key != "kind"}
    steps(REFERENCE[optimizer.kind](theirs, **options, foreach=False), theirs, 20)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("adam", {"lr": 0.0}),
        ("adam", {"betas": [0.9, 1.0]}),
        ("adamw", {"lr": -1.0}),
        ("adamw", {"weight_decay": -0.1}),
        ("sgd", {"momentum": 1.0}),
        ("sgd", {"momentum": 0.0, "nesterov": True}),
    ],
)
def test_options_beyond_their_limits_are_refused(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        registry.find("optimizer", kind).revive(options)
