"""Where a spec lives."""

from __future__ import annotations

from pathlib import Path


def workspace_of(spec: Path) -> Path:
    """Return the nearest folder above a spec that holds `.dvc`, else the spec's own folder."""
    folder = spec.resolve().parent
    for candidate in (folder, *folder.parents):
        if (candidate / ".dvc").is_dir():
            return candidate
    return folder
