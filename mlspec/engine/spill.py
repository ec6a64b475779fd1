"""Where a step keeps on disk what does not fit into memory."""

from __future__ import annotations

import os
from pathlib import Path

SPILLS = ("duckdb", "rows")
"""What lies there: what the database spills, and typed rows (`reading/typed_files.py`)."""


def spill(scratch: Path, kind: str) -> Path:
    """Return this process's folder of one of `SPILLS`, which is gone when the step ends.

    Args:
        scratch: Of the step.
        kind: One of `SPILLS`; a folder each, for DuckDB removes its own with all that is in it.
    """
    return scratch / f"{kind}-{os.getpid()}"
