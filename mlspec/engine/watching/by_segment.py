"""The report of each segment, told out of one comparison of all columns of all segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.sdk.segment import Segment

SEGMENT = "mlspec/segment/"
"""Before a column's name where it is told of one segment; then comes the segment's key and a slash."""
FAMILY = "segments"
VERDICTS = ("drift", "too_few_rows", "stable", "not_observed")
"""From the worst to the best."""


def prefix(segment: Segment) -> str:
    """Return what stands before the names of a segment's columns."""
    return f"{SEGMENT}{segment.key}/"


def worst(columns: Sequence[Mapping[str, Any]]) -> str:
    """Return the worst verdict of some columns."""
    verdicts = {column["verdict"] for column in columns}
    return next((word for word in VERDICTS if word in verdicts), "not_observed")


def by_segment(
    columns: Sequence[Mapping[str, Any]], segments: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the report of each segment that has rows, here or in its reference, in the reference's order.

    Args:
        columns: The reports of all columns of all segments, under their long names.
        segments: As `segments.json` has them.

    Returns:
        Of each `segment` (its name for people), `column`, `value`, `others`, `verdict` (its worst), `rows`,
        `reference_rows` and `columns`.
    """
    told = []
    for entry in segments:
        segment = Segment.of(entry)
        start = prefix(segment)
        own = [
            {**column, "column": column["column"].removeprefix(start)}
            for column in columns
            if column["column"].startswith(start)
        ]
        rows, known = max((column["rows"] for column in own), default=0), entry["inputs"]["rows"]
        if not rows and not known:
            continue  # other values than those that have a segment of their own, of which there are none
        told.append(
            {
                "segment": segment.text,
                **segment.plain(),
                "verdict": worst(own),
                "rows": rows,
                "reference_rows": known,
                "columns": own,
            }
        )
    return told
