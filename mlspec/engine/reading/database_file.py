"""What a file's first bytes say of the database in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def database_file(file: Path) -> Literal["sqlite", "duckdb"] | None:
    """Return which database a file holds; None for anything else.

    Raises:
        OSError: it cannot be read.
    """
    with open(file, "rb") as stream:
        start = stream.read(16)
    if start.startswith(b"SQLite format 3\0"):
        return "sqlite"
    return "duckdb" if start[8:12] == b"DUCK" else None
