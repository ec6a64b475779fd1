"""The accepted numbers of a spec, which later runs are held against."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json, write_json
from mlspec.errors import MissingError, StepError, UsageError
from mlspec.plan.baseline_of import baseline_of
from mlspec.plan.plan import Plan
from mlspec.run.lock import lock
from mlspec.run.metrics import intervals, metrics, slices
from mlspec.run.resolve import resolve
from mlspec.run.status import status


@dataclass(frozen=True)
class Accepted:
    """What became the baseline, and what was it before."""

    file: str
    """From the workspace."""
    old: Mapping[str, Mapping[str, Any]]
    """The numbers of each export before; empty where there were none."""
    new: Mapping[str, Mapping[str, Any]]
    """`metrics`, `intervals` and `slices` of each export."""


def accept(
    plan: Plan, root: Path, *, wait: bool = False, say: Callable[[str], None] = lambda line: None
) -> Accepted:
    """Make the numbers of the last run the baseline.

    Args:
        plan: The plan of the spec as it stands.
        root: The workspace.
        wait: Wait for a run in this workspace, instead of refusing.
        say: Told who is waited for.

    Raises:
        UsageError: the spec exports nothing that could be evaluated.
        MissingError: nothing was evaluated yet, what was is older than the plan, or a run works here.
        StepError: the baseline that is there cannot be read.
    """
    with lock(root, wait=wait, say=say):
        plan = resolve(plan, root)
        steps = tuple(step for step in plan.steps if step.kind == "evaluate")
        if not steps:
            raise UsageError(
                f"'{plan.name}' has no exports, so nothing is measured", fix="add exports: {main: onnx}"
            )
        for step in steps:
            if not (root / step.output / "metrics.json").is_file():
                raise MissingError(f"'{plan.name}' has no measures yet", where=step.name, fix="mlspec run")
        _refuse_stale(plan, root, {step.name for step in steps})
        told, ranges, parts = metrics(steps, root), intervals(steps, root), slices(steps, root)
        new = {
            name: {"metrics": told[name], "intervals": ranges[name], "slices": parts[name]} for name in told
        }
        name = baseline_of(plan.name)
        old = _read(root, name)
        write_json(root / name, {"exports": new})
    return Accepted(name, old, new)


def ready_baseline(name: str, root: Path, *, locked: bool, say: Callable[[str], None]) -> None:
    """See to it that there is a file to be held against; an empty one where no numbers were accepted yet.

    Raises:
        MissingError: no numbers were accepted, and nothing may be written.
        StepError: the file cannot be read.
    """
    if _read(root, name):
        return
    if locked:
        raise MissingError(
            f"a gate is held against the baseline, and '{name}' has none; --locked lets no run pass without",
            where="evaluation.gates",
            fix="`mlspec run`, then `mlspec accept`, and commit the file",
        )
    if not (root / name).exists():
        write_json(root / name, {"exports": {}})
    say("no baseline yet, so nothing is held against it: `mlspec accept` makes one of a run's numbers")


def _refuse_stale(plan: Plan, root: Path, evaluations: set[str]) -> None:
    judged = status(plan, root)
    stale = next((one for one in judged if one.works and one.step.name in evaluations), None)
    if stale is not None:
        first = next(one for one in judged if one.works)
        raise MissingError(
            f"the measures are older than the plan: {first.step.name} must run ({first.reasons[0]})",
            where=stale.step.name,
            fix="mlspec run",
        )


def _read(root: Path, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the accepted numbers by export; empty where there are none."""
    try:
        exports: dict[str, dict[str, Any]] = read_json(root / name)["exports"]
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as fault:
        raise StepError(
            f"'{name}' cannot be read as a baseline: {fault}",
            where=name,
            fix="take one side of a merge, or remove it and run `mlspec accept`",
        ) from fault
    return exports
