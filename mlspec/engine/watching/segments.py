"""Which rows belong to which segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.files import read_json
from mlspec.errors import StepError
from mlspec.sdk.segment import Segment

FILE = "segments.json"
"""Beside the references of a package: one entry a segment."""


def places(found: Sequence[Segment], values: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return for each row the place of its segment.

    Args:
        found: All segments of one column, that of other values last.
        values: What the rows have there.

    Returns:
        `[rows] int64`.
    """
    kept = pa.array([segment.value for segment in found[:-1]], pa.string())
    place = pc.index_in(values.cast(pa.string()), value_set=kept)
    return np.asarray(pc.fill_null(place, len(found) - 1).to_numpy(zero_copy_only=False), np.int64)


def parted(
    found: Sequence[Segment], rows: pa.RecordBatch, answers: pa.RecordBatch
) -> Iterator[tuple[Segment, pa.RecordBatch, pa.RecordBatch]]:
    """Yield each segment that some rows belong to, with those rows and their answers.

    Args:
        found: Segments of any columns.
        rows: As they were asked.
        answers: One a row.
    """
    for column in dict.fromkeys(segment.column for segment in found):
        own = [segment for segment in found if segment.column == column]
        place = places(own, rows.column(column))
        order = np.argsort(place, kind="stable")
        ends = np.cumsum(np.bincount(place, minlength=len(own)))
        for segment, start, end in zip(own, (0, *ends[:-1]), ends, strict=True):
            if end > start:
                taken = pa.array(order[start:end])
                yield segment, rows.take(taken), answers.take(taken)


def read_segments(package: Path) -> list[dict[str, Any]]:
    """Return the segments of a package with their references; none where it was packed without.

    Raises:
        StepError: its file is none.
    """
    file = package / FILE
    if not file.is_file():
        return []
    try:
        made: list[dict[str, Any]] = read_json(file)["segments"]
        for entry in made:
            Segment.of(entry)
    except (KeyError, TypeError, ValueError) as error:
        raise StepError(
            f"'{file}' tells of no segments: {error!r}", fix="pack it again: mlspec run"
        ) from error
    return made
