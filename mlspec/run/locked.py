"""What dvc.lock says, read without DVC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.plan.plan import Step


def locked(text: bytes | str) -> Mapping[str, Mapping[str, Any]]:
    """Return the stages of a dvc.lock by their names; empty where it cannot be read."""
    import yaml

    from mlspec.run._lock_loader import LockLoader

    try:
        content = yaml.load(text, Loader=LockLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    stages = content.get("stages") if isinstance(content, dict) else None
    return stages if isinstance(stages, dict) else {}


def locked_inputs(workspace: Path, step: Step) -> dict[str, str]:
    """Return the hash of each folder that a step reads, by the name of the step that wrote it."""
    found: dict[str, str] = {}
    known: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    for name, folder in step.inputs.items():
        pipeline = folder.split("/")[1]
        if pipeline not in known:
            file = workspace / "pipelines" / pipeline / "dvc.lock"
            known[pipeline] = locked(file.read_bytes()) if file.is_file() else {}
        digest = hash_of(known[pipeline].get(name, {}), folder)
        if digest is not None:
            found[name] = digest
    return found


def hash_of(stage: Mapping[str, Any], path: str, part: str = "outs") -> str | None:
    """Return the hash that a stage's lock has of one of its `outs` or `deps`; None where it names none."""
    for entry in stage.get(part) or ():
        if isinstance(entry, Mapping) and entry.get("path") == path:
            digest = entry.get("md5")
            return digest if isinstance(digest, str) else None
    return None
