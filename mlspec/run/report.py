"""What a run did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mlspec.plan.plan import Plan, Step
from mlspec.run.metrics import intervals, metrics, slices


@dataclass(frozen=True)
class Outcome:
    """What became of one step."""

    step: str
    pipeline: str
    done: Literal["reused", "restored", "ran", "failed", "interrupted"]
    reasons: tuple[str, ...]
    """Why it ran; or what could not be checked."""
    seconds: float
    output: str
    """Its folder, from the workspace."""
    peak: int | None = None
    """Most resident memory of the process and its children while it worked, bytes; None where it did nothing.
    """

    def plain(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return {
            "step": self.step,
            "pipeline": self.pipeline,
            "done": self.done,
            "reasons": list(self.reasons),
            "seconds": round(self.seconds, 3),
            "output": self.output,
        }


@dataclass(frozen=True)
class Report:
    """What became of every step of a run."""

    plan: Plan
    workspace: Path
    outcomes: tuple[Outcome, ...]
    seconds: float
    record: Path | None = None
    """The file with this report; None where nothing was done."""

    @property
    def worked(self) -> bool:
        """Return whether anything was done."""
        return any(outcome.done != "reused" for outcome in self.outcomes)

    @property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the measures of each export that was evaluated."""
        return metrics(self.steps, self.workspace)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps of the plan that were looked at: all, or those that the user chose."""
        names = {outcome.step for outcome in self.outcomes}
        return tuple(step for step in self.plan.steps if step.name in names)

    def plain(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return {
            "name": self.plan.name,
            "spec": self.plan.spec,
            "steps": [outcome.plain() for outcome in self.outcomes],
            "seconds": round(self.seconds, 3),
            "metrics": {name: dict(values) for name, values in self.metrics.items()},
            "intervals": dict(intervals(self.steps, self.workspace)),
            "slices": dict(slices(self.steps, self.workspace)),
        }
