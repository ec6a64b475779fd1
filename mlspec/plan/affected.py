"""Which steps of a plan a key of the spec reaches."""

from __future__ import annotations

from collections.abc import Collection

from mlspec.compose.document import KeyPath
from mlspec.plan.leaves import GONE, leaves
from mlspec.plan.plan import Plan, Step


def affected(path: KeyPath, plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the steps whose parameters hold a key, and those that read what these write.

    Args:
        path: A key of the spec; the parameters of a step keep the spec's paths.
        plan: The plan of that spec.
    """
    if path == ("name",):
        return tuple(step.name for step in plan.steps), ()
    direct = {step.name for step in plan.steps if _holds(step, path)}
    if path == ("data", "name"):
        direct = {step.name for step in plan.steps if step.pipeline == plan.data_name}
    return tuple(step.name for step in plan.steps if step.name in direct), followers(plan, direct)


def followers(plan: Plan, names: Collection[str]) -> tuple[str, ...]:
    """Return the steps that read, near or far, what some steps write, without these."""
    working = set(names)
    for step in plan.steps:  # in the order of work
        for other, folder in step.inputs.items():
            read = [name for name in step.dependencies if name == folder or name.startswith(f"{folder}/")]
            # `passed` holds the same bytes each time: a check that runs again is no reason to work.
            if other in working and not all(name.endswith("/passed") for name in read):
                working.add(step.name)
    return tuple(step.name for step in plan.steps if step.name in working and step.name not in names)


def meets(one: KeyPath, other: KeyPath) -> bool:
    """Return whether a path is another, or lies above or below it."""
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def _holds(step: Step, path: KeyPath) -> bool:
    return any(meets(found, path) for found, _, _ in leaves(GONE, step.parameters, deep=True))
