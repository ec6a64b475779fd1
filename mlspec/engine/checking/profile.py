"""What some rows hold, in a form that profiles of other rows can be added to, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

NUMBERS, TEXTS = "numbers.bin", "texts.parquet"
"""Sorted numbers of all columns and runs; texts with their rows."""
_TEXT = pa.schema([("place", pa.int32()), ("value", pa.string()), ("rows", pa.int64())])

Run = tuple[NDArray[np.float64], NDArray[np.int64] | None]
"""Numbers, rising, and how many rows have each; None where each stands for itself."""


def write_profile(rows: Iterator[pa.Table], forms: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """Write the profile of some rows, and return where in the files a column's numbers are.

    Args:
        rows: Pieces that fit into memory; columns of numbers are float64, others text.
        forms: `number` or `category`, of each column.
        folder: Where `NUMBERS` and `TEXTS` are written.
    """
    found: dict[str, list[list[int]]] = {name: [] for name, form in forms.items() if form == "number"}
    texts = {name: place for place, name in enumerate(forms) if name not in found}
    total, at = 0, 0
    with open(folder / NUMBERS, "wb") as numbers, parquet.ParquetWriter(folder / TEXTS, _TEXT) as written:
        for piece in rows:
            total += piece.num_rows
            for name, places in found.items():
                values, counts = run_of(piece.column(name).drop_null().to_numpy())
                if not len(values):
                    continue
                places.append([at, len(values), int(counts is not None)])
                for part in (values, counts):
                    if part is not None:
                        numbers.write(part.tobytes())
                        at += len(part)
            counted = [_counted(piece.column(name), place) for name, place in texts.items()]
            if counted:
                written.write_table(pa.Table.from_batches(counted))
    return {"rows": total, "numbers": found}


def _counted(column: pa.ChunkedArray, place: int) -> pa.RecordBatch:
    """Return the texts of a column with their rows."""
    found = pc.value_counts(column.drop_null().combine_chunks())
    places = pa.array(np.full(len(found), place, np.int32))
    return pa.record_batch([places, found.field("values").cast(pa.string()), found.field("counts")], _TEXT)


def run_of(values: NDArray[np.float64]) -> Run:
    """Return numbers in order; those that are there often are counted, where that is shorter.

    Example:
        >>> run_of(np.array([2.0, -0.0, 2.0, 0.0, 2.0]))
        (array([0., 2.]), array([2, 3]))
    """
    ordered = np.sort(values) + 0.0  # -0.0 is 0.0: they are one value
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, int)
    if 2 * len(starts) >= len(ordered):
        return ordered, None
    return ordered[starts], np.diff(np.r_[starts, len(ordered)])


def runs(folder: Path, places: Sequence[Sequence[int]]) -> list[Run]:
    """Return a column's runs of numbers, mapped from the files of a profile.

    Args:
        folder: The profile's.
        places: What `write_profile` told of the column.
    """
    if not places:
        return []
    mapped = np.memmap(str(folder / NUMBERS), np.float64, "r")
    found: list[Run] = []
    for at, many, counted in places:
        counts = mapped[at + many : at + 2 * many].view(np.int64) if counted else None
        found.append((mapped[at : at + many], counts))
    return found
