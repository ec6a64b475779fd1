"""What a run is compared with: the run before it, or what git has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlspec.errors import MissingError, UsageError
from mlspec.plan.difference import difference
from mlspec.run.git import git
from mlspec.run.locked import locked
from mlspec.run.record import Record, history, read_record


@dataclass(frozen=True)
class Before:
    """An earlier run of the same pipeline."""

    name: str
    """Which it is, in words."""
    metrics: Mapping[str, Mapping[str, Any]]
    """Its measures, by export."""
    changes: tuple[str, ...]
    """What is said differently since, a line each."""


def before(record: Record, workspace: Path) -> Before | None:
    """Return the last earlier run with measures noted here, else the one that HEAD has."""
    return _noted(record, workspace) or _committed(record, workspace)


def _noted(record: Record, workspace: Path) -> Before | None:
    for file in reversed(history(workspace, record.name)):
        try:
            other = read_record(file)
        except (MissingError, UsageError):
            continue
        if other.began < record.began and other.metrics:
            said = (
                reason for step in record.steps if step.done in ("ran", "failed") for reason in step.reasons
            )
            return Before(
                f"the run of {other.began:%Y-%m-%d %H:%M} UTC", other.metrics, tuple(dict.fromkeys(said))
            )
    return None


def _committed(record: Record, workspace: Path) -> Before | None:
    folder = f"pipelines/{record.name}"
    try:
        text = git(workspace, "cat-file", "blob", f"HEAD:./{folder}/run.json")
        other = None if text is None else Record.model_validate_json(text)
    except (MissingError, ValidationError):
        return None
    if other is None or other.began >= record.began:
        return None
    lines: list[str] = []
    for pipeline in dict.fromkeys(step.pipeline for step in record.steps):
        name = f"pipelines/{pipeline}/dvc.lock"
        file = workspace / name
        old = locked(git(workspace, "cat-file", "blob", f"HEAD:./{name}") or b"")
        new = locked(file.read_bytes()) if file.is_file() else {}
        lines += difference(_parameters(old, pipeline), _parameters(new, pipeline))
    return Before(f"the run of {other.began:%Y-%m-%d %H:%M} UTC that HEAD has", other.metrics, tuple(lines))


def _parameters(stages: Mapping[str, Mapping[str, Any]], pipeline: str) -> dict[str, Any]:
    plan = f"pipelines/{pipeline}/plan.yaml"
    found = {name: (stage.get("params") or {}).get(plan, {}).get(name, {}) for name, stage in stages.items()}
    return {name: parameters for name, parameters in found.items() if name != "plan"}
