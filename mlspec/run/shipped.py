"""Whether a workspace's folder is mlspec's own."""

from __future__ import annotations

from pathlib import Path

import mlspec


def shipped(folder: Path) -> bool:
    """Return whether a folder is the one that mlspec ships, as in a checkout of it that is a workspace."""
    package = Path(mlspec.__file__).resolve().parent
    places = (package / folder.name, package.parent / folder.name)
    return folder.is_dir() and any(place.is_dir() and place.samefile(folder) for place in places)
