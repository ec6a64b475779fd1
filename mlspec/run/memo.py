"""Paths, sizes and times of a finished run: where none of them moved, DVC need not be asked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mlspec.plan.plan import Plan


def remember(plan: Plan, workspace: Path) -> None:
    """Note the state of everything that a finished plan reads and writes."""
    from mlspec.engine.files import write_bytes

    write_bytes(_file(plan, workspace), json.dumps(_state(plan, workspace)).encode())


def forget(plan: Plan, workspace: Path) -> None:
    """Drop the note: what follows may leave the workspace half done."""
    _file(plan, workspace).unlink(missing_ok=True)


def unchanged(plan: Plan, workspace: Path) -> bool:
    """Return whether all is as the last finished run of this plan left it; False where that is not known."""
    if any(step.always for step in plan.steps):
        return False
    try:
        noted = json.loads(_file(plan, workspace).read_bytes())
    except (OSError, ValueError):
        return False
    return bool(noted == _state(plan, workspace))


def _file(plan: Plan, workspace: Path) -> Path:
    return workspace / ".mlspec" / "memo" / f"{plan.name}.json"


def _state(plan: Plan, workspace: Path) -> dict[str, Any]:
    steps = (plan.guard, *plan.steps)
    pipelines = dict.fromkeys(step.pipeline for step in steps)
    paths = {
        f"pipelines/{pipeline}/{name}"
        for pipeline in pipelines
        for name in ("dvc.lock", "dvc.yaml", "plan.yaml")
    }
    paths.update(step.output for step in steps)
    made = tuple(step.output + "/" for step in steps)
    paths.update(path for step in steps for path in step.dependencies if not path.startswith(made))
    return {path: _seen(workspace / path) for path in sorted(paths)}


def _seen(path: Path) -> Any:
    """Return size, time and inode of a file; of a folder, those of everything in it."""
    try:
        if not path.is_dir():
            found = path.stat()
            return [found.st_size, found.st_mtime_ns, found.st_ino]
    except OSError:
        return None
    with os.scandir(path) as entries:
        return {
            entry.name: _seen(Path(entry.path)) for entry in sorted(entries, key=lambda entry: entry.name)
        }
