"""What was measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlspec.plan.plan import Step


def metrics(steps: Iterable[Step], workspace: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the measures of each export that some steps evaluated, by the export's name."""
    return dict(_read(steps, workspace, "metrics.json"))


def intervals(steps: Iterable[Step], workspace: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return `[low, high]` or None for each measure, by the export's name; empty where none was told."""
    return {name: content["metrics"] for name, content in _read(steps, workspace, "intervals.json")}


def slices(steps: Iterable[Step], workspace: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the slices of each export, by the export's name and the column."""
    return {name: content["slices"] for name, content in _read(steps, workspace, "slices.json")}


def _read(steps: Iterable[Step], workspace: Path, file: str) -> Iterator[tuple[str, Any]]:
    for step in steps:
        path = workspace / step.output / file
        if step.kind == "evaluate" and path.is_file():
            yield step.name.partition("-")[2], json.loads(path.read_bytes())
