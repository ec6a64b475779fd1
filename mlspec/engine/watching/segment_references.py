"""What the rows of each segment look like, and the model's answers to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.watching.profile import profile_of
from mlspec.engine.watching.segments import places
from mlspec.sdk.segment import Segment

MOST = 20
"""Values of a column with a segment of their own; the rest is one."""
FEWEST = 30
"""Held-out rows that a segment of its own has, at least."""
STEPS = 200
"""Steps between the quantiles of a segment's number column."""


def segment_references(
    columns: Sequence[str],
    read: Callable[[str], pa.ChunkedArray],
    inputs: Sequence[str],
    answers: pa.Table,
) -> list[dict[str, Any]]:
    """Return what the rows of each segment look like; becomes `segments.json`.

    Args:
        columns: Those whose values the rows are told apart by.
        read: Gives a column of the rows; one at a time is held.
        inputs: The names of the columns that the model takes.
        answers: The model's, one a row.

    Returns:
        Of each segment `column`, `value`, `others` (`sdk/segment.py`), and `inputs` and `answers` in the form
        of `reference.json`.
    """
    made: list[dict[str, Any]] = []
    belongs: list[NDArray[np.bool_]] = []
    for column in columns:
        values = read(column)
        found = segments(column, values)
        place = places(found, values)
        for index, segment in enumerate(found):
            belongs.append(place == index)
            rows = int(belongs[-1].sum())
            empty = {part: {"rows": rows, "columns": {}} for part in ("inputs", "answers")}
            made.append(segment.plain() | empty)
    for part, names, give in (
        ("inputs", inputs, read),
        ("answers", answers.column_names, answers.column),
    ):
        for name in names:
            values = give(name)
            for entry, chosen in zip(made, belongs, strict=True):
                entry[part]["columns"][name] = profile_of(values.filter(pa.array(chosen)), STEPS)
    return made


def segments(column: str, values: pa.ChunkedArray) -> tuple[Segment, ...]:
    """Return the segments of a column: of its most frequent values, and of all the others.

    Args:
        column: Its name.
        values: As the model takes them; null is a value like any other.

    Example:
        >>> found = segments("town", pa.chunked_array([["Bern"] * 50 + ["Zug"] * 40 + ["Chur"]]))
        >>> [segment.text for segment in found]
        ['town = Bern', 'town = Zug', 'town: any other']
    """
    counts = [(one["values"], one["counts"]) for one in pc.value_counts(values.cast(pa.string())).to_pylist()]
    common = sorted(
        (entry for entry in counts if entry[1] >= FEWEST),
        key=lambda entry: (-entry[1], entry[0] is not None, entry[0] or ""),
    )
    kept = tuple(value for value, _ in common[:MOST])
    return (*(Segment(column, value) for value in kept), Segment(column, None, kept))
