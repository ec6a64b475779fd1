"""What every schedule must do."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch

from mlspec.sdk.training import Schedule
from mlspec.testing.check import Check, hold

FULL = 0.1
"""The optimizer's own rate."""


def optimizer() -> torch.optim.Optimizer:
    """Return an optimizer of one weight."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=FULL)


Build = Callable[[torch.optim.Optimizer, int], torch.optim.lr_scheduler.LRScheduler]


def rates(build: Build, steps: int) -> list[float]:
    """Return the rate of each step, as training takes them.

    Args:
        build: Makes the scheduler of an optimizer for so many steps.
        steps: How many.
    """
    made = optimizer()
    return _go_on(made, build(made, steps), steps)


def _go_on(
    made: torch.optim.Optimizer, scheduler: torch.optim.lr_scheduler.LRScheduler, steps: int
) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(float(made.param_groups[0]["lr"]))
        made.step()
        scheduler.step()
    return found


def _stays_below(schedule: Schedule, folder: Path) -> None:
    for steps in (1, 2, 3, 7, 100):
        found = rates(schedule.build, steps)
        inside = all(0 <= rate <= FULL * (1 + 1e-12) for rate in found)
        hold(inside, f"of {steps} steps the rates go from {min(found):.3g} to {max(found):.3g}, of {FULL}")
        hold(max(found) > 0, f"of {steps} steps all rates are 0")


def _reaches_all(schedule: Schedule, folder: Path) -> None:
    most = max(rates(schedule.build, 100))
    hold(math.isclose(most, FULL, rel_tol=1e-6), f"the highest of 100 rates is {most:.4g}, of {FULL}")


def _goes_on(schedule: Schedule, folder: Path) -> None:
    whole = rates(schedule.build, 10)
    made = optimizer()
    scheduler = schedule.build(made, 10)
    _go_on(made, scheduler, 4)
    again = optimizer()
    after = schedule.build(again, 10)
    again.load_state_dict(made.state_dict())
    after.load_state_dict(scheduler.state_dict())
    left = _go_on(again, after, 6)
    hold(left == whole[4:], f"after its state was read it goes on with {left}, not with {whole[4:]}")


CHECKS = (
    Check("keeps rates between 0 and the optimizer's", "give factors from 0 to 1", _stays_below),
    Check("reaches the optimizer's rate", "let the highest factor be 1", _reaches_all),
    Check("goes on from its state", "let the rate follow from the step alone", _goes_on),
)
