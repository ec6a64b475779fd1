"""What a run left to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.run.before import Before
from mlspec.run.record import Record, StepRecord


@dataclass(frozen=True)
class Left:
    """A run's record, and the files of the steps that it looked at."""

    record: Record
    workspace: Path
    planned: tuple[str, ...] = ()
    """Every step of the plan by its full name, in the order of work."""
    before: Before | None = None
    """What it is compared with."""

    def metrics(self) -> dict[str, Mapping[str, Any]]:
        """Return what this run measured, by export; a failed evaluation measured nothing."""
        done = {step.step for step in self.steps("evaluate") if step.done not in ("failed", "interrupted")}
        return {name: values for name, values in self.record.metrics.items() if f"evaluate-{name}" in done}

    def intervals(self, export: str) -> Mapping[str, tuple[float, float] | None]:
        """Return low and high of each measure of an export; empty where none was told."""
        known = self.record.intervals.get(export)
        return known.metrics if known else {}

    def confidence(self, export: str) -> float | None:
        """Return how sure its intervals are, as a fraction."""
        known = self.record.intervals.get(export)
        return known.confidence if known else None

    def steps(self, kind: str) -> tuple[StepRecord, ...]:
        """Return the steps of a kind that the run came to; those behind hold another run's work."""
        return tuple(step for step in self.record.steps if step.step.partition("-")[0] == kind)

    def read(self, step: StepRecord, name: str) -> Any:
        """Return the content of a step's JSON file; None where it wrote none, or it is not here."""
        return self.read_file(self.folder(step) / name)

    def plots(self, step: StepRecord) -> dict[str, Any]:
        """Return the points of each plot that a step wrote, by its name."""
        files = sorted((self.folder(step) / "plots").glob("*.json"))
        return {file.stem: points for file in files if (points := self.read_file(file)) is not None}

    def folder(self, step: StepRecord) -> Path:
        """Return where a step's files lie: what a failed check wrote is kept in the logs."""
        if step.done in ("failed", "interrupted"):
            return self.workspace / "artifacts" / step.pipeline / "logs" / step.step
        return self.workspace / step.output

    @staticmethod
    def read_file(file: Path) -> Any:
        """Return the content of a JSON file; None where there is none to read."""
        try:
            return json.loads(file.read_bytes().decode("utf-8", "surrogatepass"))
        except (OSError, ValueError):
            return None
