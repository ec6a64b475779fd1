"""Profiles of many windows and processes as one, and what the drift test asks of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from whylogs.core.errors import DeserializationError, UnsupportedError
from whylogs.core.view import DatasetProfileView

from mlspec.engine.watching.by_segment import FAMILY, by_segment, prefix, worst
from mlspec.engine.watching.drift import drift as drift_of
from mlspec.engine.watching.moment import in_words
from mlspec.engine.watching.quiet_windows import quiet_windows
from mlspec.engine.watching.samples import Samples
from mlspec.engine.watching.tally import Tally
from mlspec.errors import MissingError, StepError
from mlspec.sdk.segment import Segment

from ._whylogs_observer import ANSWERS, VALUES
from ._whylogs_seen import seen

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """What each window should see."""

    every: float
    """Length of a window in seconds."""
    rows: int


def compare(
    folder: Path,
    reference: dict[str, Any],
    drift: dict[str, Any],
    since: float | None = None,
    by_window: bool = False,
    expected: Expected | None = None,
) -> dict[str, Any]:
    """Compare the profiles of a folder with a reference; see `Whylogs.compare`."""
    files = sorted(file for file in folder.glob("*.bin") if not file.name.startswith("."))
    if not files:
        raise MissingError(
            f"nothing was observed yet: '{folder}' holds no profile", fix="mlspec serve, and send rows"
        )
    found, skipped = _readable(files)
    if not found:
        raise StepError(
            f"no file of '{folder}' is a profile of whylogs: {skipped[0]}", fix="move them out of this folder"
        )
    told: dict[str, Any] = {}
    few = ""
    if expected is not None:
        told["quiet"] = _quiet(found, expected, since)
        few = f"; {len(told['quiet'])} windows saw fewer than {expected.rows} rows" if told["quiet"] else ""
    found = {file: view for file, view in found.items() if view.get_columns()}
    if not found:
        raise MissingError(f"no row was observed yet: '{folder}' tells of a service that heard none{few}")
    if since is not None:
        found = _recent(found, since, few)
    columns = dict(_columns(reference))
    if by_window:
        told["by_window"] = _windows(found, columns, drift)
    values, notes = _values(list(found))
    views = list(found.values())
    report = _judged(merge(views), values, columns, drift, reference.get("segments") or ())
    starts = sorted({f"{view.dataset_timestamp:%Y-%m-%dT%H:%M:%SZ}" for view in views})
    return {
        **report,
        "windows": len(starts),
        "since": starts[0],
        "until": starts[-1],
        "dropped": Tally.dropped(folder),
        "lost": Tally.lost(folder),
        "skipped": [*skipped, *notes],
        **told,
    }


def _judged(
    merged: DatasetProfileView,
    values: Mapping[str, Floats],
    columns: dict[str, dict[str, Any]],
    drift: dict[str, Any],
    segments: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    known = columns | dict(_of_segments(segments))
    found = {
        name: seen(view, values.get(name)) for name, view in merged.get_columns().items() if name in known
    }
    rows = max((column["rows"] for column in columns.values()), default=0)
    report = drift_of({"rows": rows, "columns": known}, found, **drift)
    told = report["columns"]
    report["columns"] = [_named(column) for column in told if column["column"] in columns]
    if segments:
        parts = by_segment([column for column in told if column["column"] not in columns], segments)
        report["segments"] = [
            part | {"columns": [_named(column) for column in part["columns"]]} for part in parts
        ]
    return report


def _named(column: dict[str, Any]) -> dict[str, Any]:
    part = "answers" if column["column"].startswith(ANSWERS) else "inputs"
    return {**column, "column": column["column"].removeprefix(ANSWERS), "part": part}


def _windows(
    views: Mapping[Path, DatasetProfileView], columns: dict[str, dict[str, Any]], drift: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return what each window says for itself, in their order."""
    told = []
    for start in sorted({view.dataset_timestamp for view in views.values()}):
        of_window = {file: view for file, view in views.items() if view.dataset_timestamp == start}
        values, _ = _values(list(of_window))
        report = _judged(merge([_copy(view) for view in of_window.values()]), values, columns, drift)
        length = max(_length(view) for view in of_window.values())
        told.append(
            {
                "since": in_words(start.timestamp()),
                "until": in_words(start.timestamp() + length),
                "rows": report["rows"],
                "verdict": worst(report["columns"]),
                "columns": [one["column"] for one in report["columns"] if one["verdict"] == "drift"],
            }
        )
    return told


def _copy(view: DatasetProfileView) -> DatasetProfileView:
    return DatasetProfileView.deserialize(view.serialize())


def _quiet(
    found: Mapping[Path, DatasetProfileView], expected: Expected, since: float | None
) -> list[dict[str, Any]]:
    """Return the windows that saw too few rows; an empty profile tells of a service that heard nothing."""
    rows: dict[float, int] = {}
    for view in found.values():
        if _length(view) == expected.every:
            counts = [column.get_metric("counts") for column in view.get_columns().values()]
            start = view.dataset_timestamp.timestamp()
            rows[start] = rows.get(start, 0) + max((int(one.n.value) for one in counts if one), default=0)
    return quiet_windows(rows, expected.every, expected.rows, time.time(), since)


def _readable(files: Sequence[Path]) -> tuple[dict[Path, DatasetProfileView], list[str]]:
    views, skipped = {}, []
    for file in files:
        try:
            views[file] = read(file)
        except StepError as error:
            skipped.append(error.what)
    return views, skipped


def _values(files: Sequence[Path]) -> tuple[dict[str, Floats], list[str]]:
    """Return the values sampled beside profiles, and a line where they cannot stand for all the rows."""
    beside = [file.with_suffix(VALUES) for file in files]
    there = [file for file in beside if file.is_file()]
    if not there:
        return {}, []
    if len(there) < len(beside):
        told = f"values were sampled beside {len(there)} of {len(beside)} profiles only"
        return {}, [f"{told}: sketches are compared instead"]
    try:
        return Samples.merged(there), []
    except StepError as error:
        return {}, [error.what]


def _recent(
    views: Mapping[Path, DatasetProfileView], since: float, few: str
) -> dict[Path, DatasetProfileView]:
    ends = {file: view.dataset_timestamp.timestamp() + _length(view) for file, view in views.items()}
    recent = {file: view for file, view in views.items() if ends[file] > since}
    if not recent:
        last = in_words(max(ends.values()))
        raise MissingError(
            f"no rows since {in_words(since)}: the last window with rows ended {last}{few}",
            fix="see whether the service runs and is asked, or take an earlier --since",
        )
    return recent


def _length(view: DatasetProfileView) -> float:
    try:
        return float(view.metadata["mlspec.window_seconds"])
    except (KeyError, ValueError):
        return 0.0


def read(file: Path) -> DatasetProfileView:
    """Return the profile in a file.

    Raises:
        StepError: the file is no profile.
    """
    try:
        return DatasetProfileView.deserialize(file.read_bytes())
    except (DeserializationError, UnsupportedError, DecodeError, OSError, ValueError) as error:
        raise StepError(
            f"'{file}' is no profile of whylogs: {error}", fix="move it out of this folder"
        ) from error


def merge(views: Sequence[DatasetProfileView]) -> DatasetProfileView:
    """Return many profiles as one; the given ones may change."""
    merged = DatasetProfileView.zero()
    for view in views:
        merged = merged.merge(view)
    return merged


def _columns(reference: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part, start in (("inputs", ""), ("answers", ANSWERS)):
        known = reference.get(part) or {"rows": 0, "columns": {}}
        for name, column in known["columns"].items():
            yield start + name, {**column, "rows": known["rows"]}


def _of_segments(segments: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in segments:
        start = prefix(Segment.of(entry))
        for name, column in _columns({part: entry[part] for part in ("inputs", "answers")}):
            yield start + name, {**column, "family": FAMILY}
