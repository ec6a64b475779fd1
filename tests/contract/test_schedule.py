"""What every schedule must do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mlspec import registry
from mlspec.sdk.slot import Slot
from mlspec.sdk.training import Schedule

SCHEDULES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("schedule")
    for place, example in enumerate(registry.find("schedule", kind).examples())
]
FULL = 0.1


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=FULL)


def rates(schedule: Any, steps: int, made: torch.optim.Optimizer | None = None) -> list[float]:
    """Return the rate of each step, as training takes them."""
    made = optimizer() if made is None else made
    scheduler = schedule(made, steps)
    found = []
    for _ in range(steps):
        found.append(made.param_groups[0]["lr"])
        made.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100])
def test_no_rate_is_negative_or_above_the_optimizer_s(schedule: Schedule, steps: int) -> None:
    found = rates(schedule.build, steps)
    assert len(found) == steps
    assert all(0 <= rate <= FULL * (1 + 1e-12) for rate in found)
    assert max(found) > 0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_full_rate_is_reached(schedule: Schedule) -> None:
    assert max(rates(schedule.build, 100)) == pytest.approx(FULL)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_goes_on_from_its_state(schedule: Schedule) -> None:
    whole = rates(schedule.build, 10)
    made = optimizer()
    scheduler = schedule.build(made, 10)
    for _ in range(4):
        made.step()
        scheduler.step()
    again = optimizer()
    other = schedule.build(again, 10)
    other.load_state_dict(scheduler.state_dict())
    again.load_state_dict(made.state_dict())
    found = []
    for _ in range(6):
        found.append(again.param_groups[0]["lr"])
        again.step()
        other.step()
    assert found == whole[4:]


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
