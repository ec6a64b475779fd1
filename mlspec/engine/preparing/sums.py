"""Sums on disk: one `.npy` an array."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mlspec.sdk.sums import Sums

ARRAYS = ("table", "right", "centre", "spread", "counts")


def write_sums(folder: Path, sums: Sums) -> None:
    """Write sums into a folder, which is made."""
    folder.mkdir(parents=True)
    for name in ARRAYS:
        with open(folder / f"{name}.npy", "wb") as file:
            npy.write_array(file, getattr(sums, name), version=(1, 0), allow_pickle=False)
    with open(folder / "rows.npy", "wb") as file:
        npy.write_array(file, np.array([sums.rows], np.int64), version=(1, 0), allow_pickle=False)


def read_sums(folder: Path) -> Sums:
    """Return the sums that `write_sums` wrote."""
    found = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
    return Sums(rows=int(np.load(folder / "rows.npy", allow_pickle=False)[0]), **found)
