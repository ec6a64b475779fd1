"""What every optimizer must do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from mlspec import registry
from mlspec.sdk.training import Optimizer

OPTIMIZERS = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("optimizer")
    for place, example in enumerate(registry.find("optimizer", kind).examples())
]
REFERENCE: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in [(5, 3), (3,), ()]]


def steps(optimizer: torch.optim.Optimizer, moved: list[torch.nn.Parameter], count: int) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        sum(((weight - 1) ** 2).sum() for weight in moved).backward()  # type: ignore[union-attr]
        optimizer.step()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_goes_downhill(optimizer: Optimizer) -> None:
    moved = weights()
    before = [weight.detach().clone() for weight in moved]
    steps(optimizer.build(moved), moved, 20)
    for old, new in zip(before, moved, strict=True):
        assert ((new - 1) ** 2).sum() < ((old - 1) ** 2).sum()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_its_rate_is_the_option(optimizer: Optimizer) -> None:
    for group in optimizer.build(weights()).param_groups:
        assert group["lr"] == optimizer.lr


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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_its_state_can_stand_in_a_checkpoint(optimizer: Optimizer) -> None:
    moved = weights()
    made = optimizer.build(moved)
    steps(made, moved, 2)
    json.dumps(made.state_dict(), default=lambda value: value.tolist())


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
