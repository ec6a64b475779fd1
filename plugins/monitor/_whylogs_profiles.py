"""Profiles of many windows and processes as one, and what the drift test asks of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from whylogs.core.errors import DeserializationError, UnsupportedError
from whylogs.core.view import ColumnProfileView, DatasetProfileView

from mlspec.engine.watching.drift import drift as drift_of
from mlspec.engine.watching.moment import in_words
from mlspec.engine.watching.quiet_windows import quiet_windows
from mlspec.engine.watching.samples import Samples
from mlspec.engine.watching.seen import Seen
from mlspec.engine.watching.tally import Tally
from mlspec.errors import MissingError, StepError

from ._whylogs_observer import ANSWERS, VALUES, short

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
    report = _judged(merge(views), values, columns, drift)
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
) -> dict[str, Any]:
    seen = {
        name: _seen(view, values.get(name)) for name, view in merged.get_columns().items() if name in columns
    }
    rows = max((column["rows"] for column in columns.values()), default=0)
    report = drift_of({"rows": rows, "columns": columns}, seen, **drift)
    for column in report["columns"]:
        column["part"] = "answers" if column["column"].startswith(ANSWERS) else "inputs"
        column["column"] = column["column"].removeprefix(ANSWERS)
    return report


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
                "verdict": _worst(report),
                "columns": [one["column"] for one in report["columns"] if one["verdict"] == "drift"],
            }
        )
    return told


def _worst(report: dict[str, Any]) -> str:
    verdicts = {column["verdict"] for column in report["columns"]}
    return next((word for word in ("drift", "too_few_rows", "stable") if word in verdicts), "not_observed")


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
    for part, prefix in (("inputs", ""), ("answers", ANSWERS)):
        known = reference.get(part) or {"rows": 0, "columns": {}}
        for name, column in known["columns"].items():
            yield prefix + name, {**column, "rows": known["rows"]}


def _seen(view: ColumnProfileView, values: Floats | None = None) -> Seen:
    counts = view.get_metric("counts")
    rows, nulls = counts.n.value, counts.null.value
    distribution, frequent = view.get_metric("distribution"), view.get_metric("frequent_items")
    if distribution is not None:
        sketch = distribution.kll.value

        def shares(points: Floats) -> tuple[Floats, Floats]:
            # The sketch's rank is the share strictly below: the next float's rank is that of "at or below".
            below = [sketch.get_rank(point) for point in points]
            upto = [sketch.get_rank(point) for point in np.nextafter(points, np.inf)]
            return np.array(below, np.float64), np.array(upto, np.float64)

        def quantiles(levels: Floats) -> Floats:
            return np.array(sketch.get_quantiles(levels.tolist()), np.float64)

        if sketch.is_empty():
            return Seen(rows, nulls)
        if values is not None and len(values) == rows - nulls:
            return replace(Seen.of_numbers(values), rows=rows, nulls=nulls)
        error = sketch.normalized_rank_error(True) if sketch.is_estimation_mode() else 0.0
        return Seen(rows, nulls, shares=shares, rank_error=error, quantiles=quantiles, values=values)
    if frequent is None:
        return Seen(rows, nulls)
    items = frequent.frequent_strings.value

    def counted(texts: Sequence[str]) -> tuple[Floats, Floats]:
        keys = [short(text) for text in texts]
        least = [items.get_lower_bound(key) for key in keys]
        return np.array(least, np.float64), np.array([items.get_upper_bound(key) for key in keys], np.float64)

    return Seen(rows, nulls, counts=counted)
