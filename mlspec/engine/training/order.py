"""What each process of a training must know, as JSON can hold it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlspec.sdk.launcher import Work

FILE = "order.json"
"""The order, in the folder that the processes of a training on several machines share."""
FOLLOWER = "follower.json"
"""What the one that follows them tells: that it lives, and whether they shall end."""
SILENCE = 120.0
"""Seconds without a sign of life after which one takes the other for gone."""


def order_of(work: Work) -> dict[str, Any]:
    """Return what a process must know besides its own place; paths start at the workspace where they lie in
    it, for it may have another name on another machine.
    """
    context = work.context
    logs = context.logs
    return {
        "parameters": work.parameters,
        "inputs": {name: _path(path, context.workspace) for name, path in work.inputs.items()},
        "output": _path(work.output, context.workspace),
        "scratch": _path(context.scratch, context.workspace),
        "logs": None if logs is None else _path(logs, context.workspace),
        "name": context.name,
        "step": context.step,
        "checkpoint_every": context.checkpoint_every,
        "profile": context.profile,
        "memory": context.memory,
        "locks": dict(context.locks),
        "ranks": work.processes,
    }


def order_folder(workspace: Path, name: str, step: str) -> Path:
    """Return where processes of other machines find what they must know.

    Args:
        workspace: The folder that all machines share.
        name: The pipeline's.
        step: The step's.
    """
    return workspace / ".mlspec" / "orders" / f"{name}.{step}"


def told_file(folder: Path, rank: int) -> Path:
    """Return where a process tells, a line of JSON each."""
    return folder / f"told-{rank}.jsonl"


def log_file(folder: Path, rank: int) -> Path:
    """Return where a process prints."""
    return folder / f"rank-{rank}.txt"


def _path(path: Path, workspace: Path) -> str:
    return str(path.relative_to(workspace)) if path.is_relative_to(workspace) else str(path)
