"""How many threads a process may use."""

from __future__ import annotations

import os


def threads() -> int:
    """Return what OMP_NUM_THREADS says, else the processors that this process may run on."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else len(os.sched_getaffinity(0))
