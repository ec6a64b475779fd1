"""A dvc.lock with both sides of a merge in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlspec.plan.difference import difference
from mlspec.plan.plan import Step
from mlspec.plan.sides import sides
from mlspec.run.locked import locked


def merged(text: str, steps: Iterable[Step]) -> dict[str, Any] | None:
    """Return the stages of a dvc.lock with git's conflict markers; None where it has none, or makes no sense.

    Each step is taken from the side that was run with the parameters that it has now, or else follows those
    that it reads; where nothing tells, it is taken from ours.

    Args:
        text: Of the file.
        steps: Those of the plan.
    """
    both = sides(text)
    if both is None:
        return None
    ours, theirs = (dict(locked(side)) for side in both)
    if not ours and not theirs:
        return None
    followed: set[str] = set()
    for step in steps:
        if step.name not in theirs or theirs[step.name] == ours.get(step.name):
            continue
        better = _fits(theirs, step) - _fits(ours, step)
        # Where both fit, the side that what it reads was taken from has read just that.
        if better > 0 or (better == 0 and followed & set(step.inputs)) or step.name not in ours:
            ours[step.name] = theirs[step.name]
            followed.add(step.name)
    return ours


def _fits(stages: Mapping[str, Any], step: Step) -> bool:
    try:
        then = stages[step.name]["params"][f"pipelines/{step.pipeline}/plan.yaml"][step.name]
    except (LookupError, TypeError):
        return False
    return not difference(then, step.parameters)
