"""Where results come from, told by content: no commit, clock or path, so that equal work has equal bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlspec import registry
from mlspec.engine.files import read_json

FILE = "provenance.json"
"""What `prepare` and `train` say of themselves, for those who read their folders."""


def digest(value: Any) -> str:
    """Return the SHA-256 of plain data, whatever the order of its keys.

    Example:
        >>> digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
        True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def made_by(parameters: Mapping[str, Any], workspace: Path) -> dict[str, Any]:
    """Return what decided over a step's work besides what it read.

    Args:
        parameters: The step's.
        workspace: Its plug-ins are named by the SHA-256 of their files; shipped ones by their revision.
    """
    revisions = dict(parameters.get("revisions", {}))
    return {
        "parameters": digest(parameters),
        "revisions": revisions,
        "files": {
            file.relative_to(workspace).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted({file for name in revisions for file in _own(name, workspace)})
        },
    }


def provenance(
    name: str, export: str, own: Mapping[str, Any], prepared: Path, trained: Path, locks: Mapping[str, str]
) -> dict[str, Any]:
    """Return what an exported file says of its making.

    Args:
        name: The spec's name.
        export: The export's name.
        own: What `made_by` says of the export.
        prepared: What `prepare` wrote.
        trained: What `train` wrote.
        locks: What dvc.lock says of both folders.
    """
    parts = {step: read_json(folder / FILE) for step, folder in (("prepare", prepared), ("train", trained))}
    parts[f"export-{export}"] = dict(own)
    parameters = {step: part["parameters"] for step, part in parts.items()}
    return {
        "version": 1,
        "name": name,
        "export": export,
        "spec": digest(parameters),
        "parameters": parameters,
        "data": parts["prepare"]["data"],
        "split": parts["prepare"]["split"],
        "revisions": _together(parts, "revisions"),
        "files": _together(parts, "files"),
        "locks": dict(locks),
    }


def _together(parts: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts.values():
        found |= part[key]
    return dict(sorted(found.items()))


def _own(name: str, workspace: Path) -> Iterator[Path]:
    """Give the files of a plug-in that lives in the workspace, as `dvc.yaml` watches them."""
    slot, _, kind = name.partition("/")
    file = None if slot == "step" else registry.file(slot, kind)
    shipped = Path(registry.__file__).resolve().parents[1] / "plugins"
    if file is None or file.parents[1] == shipped or file.parents[1] != workspace / "plugins":
        return
    yield file
    yield from (other for other in file.parent.glob("_*.py") if other.name != "__init__.py")
