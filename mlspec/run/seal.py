"""What a step's folder was made of, in the folder itself: a merged dvc.lock cannot forge it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.files import write_json
from mlspec.engine.provenance import digest
from mlspec.plan.plan import Step
from mlspec.run.tree_hash import path_hash

FILE = "made_of.json"


def seal(step: Step, hashes: Mapping[str, str], folder: Path) -> None:
    """Write what a step's folder was made of into it.

    Args:
        step: Its parameters count.
        hashes: Of what it read, by path, as dvc.lock has them.
        folder: What it wrote.
    """
    write_json(folder / FILE, {"made_of": _made_of(step, hashes)})


def sealed(step: Step, recorded: Mapping[str, Any], folder: Path) -> bool:
    """Return whether a folder was made of a step's parameters, and of what its lock says that it read.

    Git merges dvc.lock line by line. Parameters of both sides may stand there beside the result of one.

    Args:
        step: As planned.
        recorded: What dvc.lock says of it.
        folder: What is held to be its result.
    """
    try:
        content = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return False
    return bool(content == {"made_of": _made_of(step, recorded_hashes(recorded))})


def recorded_hashes(recorded: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of what a step read, as its entry in dvc.lock has them."""
    return {entry["path"]: str(entry.get("md5")) for entry in recorded.get("deps") or ()}


def hashes_here(step: Step, workspace: Path) -> dict[str, str]:
    """Return the hashes of what a step reads, as dvc.lock would have them; without what is not here."""
    return {path: path_hash(workspace / path) for path in step.dependencies if (workspace / path).exists()}


def _made_of(step: Step, hashes: Mapping[str, str]) -> str:
    # The guard's file is constant, and not every caller has it.
    guard = f"artifacts/{step.pipeline}/plan/"
    read = {path: known for path, known in hashes.items() if not path.startswith(guard)}
    return digest({"parameters": _alike(step.parameters), "read": read})


def _alike(value: Any) -> Any:
    """Return plain data in which 1.0 is 1: a plan takes them for the same."""
    if isinstance(value, Mapping):
        return {key: _alike(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_alike(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
