"""Which revision of a workspace holds the lock that an exported file was made by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.provenance import digest
from mlspec.errors import MissingError
from mlspec.run.git import git
from mlspec.run.locked import hash_of, locked

HERE = "here"
"""The lock as it lies in the workspace."""
MOST = 2000
"""Commits that are looked at, newest first."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def locked_at(provenance: Mapping[str, Any], workspace: Path) -> tuple[str, ...]:
    """Return where a lock says the very same of an export: `here`, and the newest commit of any branch.

    The same: the parameters of the export, and the content of both folders that it was made of.

    Args:
        provenance: What the file carries.
        workspace: Where its revisions may be.
    """
    found = []
    for file in sorted((workspace / "pipelines").glob("*/dvc.lock")):
        if _same(provenance, file.read_bytes(), file.parent.name):
            found.append(HERE)
            break
    commit = _commit(provenance, workspace)
    return (*found, commit) if commit else tuple(found)


def _commit(provenance: Mapping[str, Any], workspace: Path) -> str | None:
    name = str(provenance.get("name"))
    if not _NAME.fullmatch(name) or not workspace.is_dir():
        return None
    pattern = f":(glob)pipelines/{name}*/dvc.lock"
    try:
        prefix = git(workspace, "rev-parse", "--show-prefix")
        listed = git(workspace, "rev-list", "--all", f"--max-count={MOST}", "--", pattern)
    except MissingError:
        return None
    for commit in (listed or b"").decode().split():
        entries = git(workspace, "ls-tree", "-r", "-z", "--name-only", commit, "--", "pipelines") or b""
        for entry in entries.decode("utf-8", "surrogateescape").split("\0"):
            pipeline = Path(entry).parent.name
            # A sample's pipeline has its size behind the name.
            if not entry.endswith("/dvc.lock") or not pipeline.startswith(name):
                continue
            top = (prefix or b"").decode().strip()
            text = git(workspace, "cat-file", "blob", f"{commit}:{top}{entry}")
            if text is not None and _same(provenance, text, pipeline):
                return commit
    return None


def _same(provenance: Mapping[str, Any], text: bytes, pipeline: str) -> bool:
    name = f"export-{provenance.get('export')}"
    stage = locked(text).get(name)
    if not isinstance(stage, Mapping):
        return False
    parameters = (stage.get("params") or {}).get(f"pipelines/{pipeline}/plan.yaml", {}).get(name)
    if digest(parameters) != provenance.get("parameters", {}).get(name):
        return False
    folders = {str(entry.get("path")).rpartition("/")[2]: entry["path"] for entry in stage.get("deps") or ()}
    wanted = provenance.get("locks", {})
    return bool(wanted) and all(
        step in folders and hash_of(stage, folders[step], "deps") == known for step, known in wanted.items()
    )
