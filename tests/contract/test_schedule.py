"""What every schedule must do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mlspec import registry
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.slot import Slot
from mlspec.testing.check import Check
from mlspec.testing.schedule import CHECKS, FULL, rates
from tests.cases import cases


@pytest.mark.parametrize(("check", "example"), cases(CHECKS, "schedule"))
def test_it_does_what_a_schedule_must(check: Check, example: Plugin, tmp_path: Path) -> None:
    check.run(example, tmp_path)


def test_one_cycle_is_torch_s() -> None:
    def theirs(made: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        return torch.optim.lr_scheduler.OneCycleLR(made, FULL, steps, cycle_momentum=False)

    for steps in (10, 37, 1000):
        assert rates(Slot("schedule").choose("one_cycle").build, steps) == pytest.approx(rates(theirs, steps))


def test_cosine_is_torch_s() -> None:
    def theirs(made: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        return torch.optim.lr_scheduler.CosineAnnealingLR(made, steps, eta_min=FULL * 0.05)

    ours = Slot("schedule").choose({"kind": "cosine", "end": 0.05})
    assert rates(ours.build, 50) == pytest.approx(rates(theirs, 50))


def test_linear_is_torch_s() -> None:
    def theirs(made: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
        return torch.optim.lr_scheduler.LinearLR(made, 1.0, 0.1, steps)

    ours = Slot("schedule").choose({"kind": "linear", "end": 0.1})
    assert rates(ours.build, 50) == pytest.approx(rates(theirs, 50))


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_a_warm_up_rises_in_equal_steps(kind: str) -> None:
    found = rates(Slot("schedule").choose({"kind": kind, "warm_up": 0.25}).build, 40)
    assert found[:10] == pytest.approx([FULL * (step + 1) / 11 for step in range(10)])
    assert found[10] == pytest.approx(FULL)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("one_cycle", {"warm_up": 1.0}),
        ("one_cycle", {"start": 0.0}),
        ("cosine", {"end": 1.1}),
        ("linear", {"warm_up": -0.1}),
    ],
)
def test_options_beyond_their_limits_are_refused(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        registry.find("schedule", kind).revive(options)
