"""A real row that a package's service takes, to show its users."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json


def example_row(package: Path) -> dict[str, Any] | None:
    """Return the fullest of the first rows of a package's conformance set, or None where it holds none."""
    conformance = package / "conformance.json"
    if not conformance.is_file():
        return None
    # Rows from the data stand first, made-up ones last; of equals `min` takes the first.
    rows: list[dict[str, Any]] = read_json(conformance)["rows"][:32]
    return min(rows, key=lambda row: sum(value is None for value in row.values()), default=None)
