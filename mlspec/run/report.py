"""What a run did."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from mlspec import __version__
from mlspec.plan.plan import Plan, Step
from mlspec.run.metrics import metrics

LIBRARIES = (
    "bentoml", "dvc", "duckdb", "ibis", "numpy", "onnx", "onnxruntime", "pyarrow",
    "pytorch_lightning", "sklearn", "torch",
)  # fmt: skip


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
        }


def write_record(report: Report, began: datetime, failure: str | None, said: Sequence[str] = ()) -> Path:
    """Write a run's report with versions and times under `artifacts/<name>/logs/`, and return the file."""
    from importlib.metadata import PackageNotFoundError, version

    libraries = {}
    names = {"sklearn": "scikit-learn", "ibis": "ibis-framework", "pytorch_lightning": "pytorch-lightning"}
    for module in LIBRARIES:
        if module in sys.modules:
            try:
                libraries[module] = version(names.get(module, module))
            except PackageNotFoundError:
                libraries[module] = "unknown"
    content = report.plain() | {
        "began": began.isoformat(timespec="seconds"),
        "failure": failure,
        "said": list(said),
        "versions": {"mlspec": __version__, "python": platform.python_version(), **libraries},
        "machine": {"host": platform.node(), "system": platform.platform()},
    }
    file = report.workspace / "artifacts" / report.plan.name / "logs" / f"run-{began:%Y%m%dT%H%M%S%f}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return file
