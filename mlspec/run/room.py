"""How much disk and memory a run will take, and whether they are there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.engine.reading.files import files_of
from mlspec.errors import MissingError, MlspecError, PlanError
from mlspec.plan.plan import Step
from mlspec.sdk.budget import DATABASE, LIBRARIES, MOST, SHARE
from mlspec.sdk.context import Context
from mlspec.sdk.fields import size_text
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.model import FittedModel
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Extent, Source

DATA = ("ingest", "validate", "prepare")
WIDTHS = {"number": 5, "category": 4, "binary": 4, "datetime": 40}
"""Bytes of an encoded value, about; of other kinds as of a number."""
VALUE, TEXT = 8, 20
"""Bytes of a number or a time, and of a text at least, as the database holds them."""
JUDGED = 10
"""Bytes of memory that measuring takes for a row that is judged."""
STORED = 90
"""Bytes of disk that an answer takes while it is judged: itself, and the order of all."""
FITTED = 8
"""Bytes of memory that a fitted model takes for an encoded value of each row, at least."""
PERMUTED = 4
"""Bytes of memory that the order of an epoch takes for a training row."""
BALANCED = 12
"""The same where rows are drawn so that classes come equally often, and an epoch is not cut."""
TYPED, PROFILE = 0.4, 0.6
"""Share of a table that its typed rows take on disk (`reading/typed_files.py`), and what is kept beside them
to add up several files (`engine/parts.py`)."""
KEY = 4
"""Bytes of disk that a row's place and split take."""
WHOLE = 2**30
"""Bytes of encoded rows from which on an epoch is cut (`engine/training/windows.py`, which needs torch)."""
TEST = 0.2
"""The share of rows that judge, where the split does not say it."""
MILLION = 1_000_000


@dataclass(frozen=True)
class Room:
    """What steps will take, about."""

    rows: int | None
    """Rows of the source; None where only reading them can tell."""
    disk: int | None
    """Bytes at once, what stays and what waits there for memory; None where nobody can tell."""
    memory: int | None
    """Bytes of all processes together at most, libraries included; None where nobody can tell."""
    least: int
    """Bytes of memory without which the work cannot be done, as far as is known."""

    def line(self, limit: int | None) -> str:
        """Return what `mlspec plan` tells.

        Args:
            limit: `data.memory`, in bytes.
        """
        if self.disk is None or self.memory is None:
            held = f"at most {_about(limit)} of memory; disk" if limit else "disk and memory"
            return f"takes: {held} unknown before the rows are read"
        rows = "" if self.rows is None else f" ({self.rows:,} rows)"
        return f"takes: about {_about(self.disk)} of disk and {_about(self.memory)} of memory{rows}"

    def plain(self) -> dict[str, int | None]:
        """Return it as JSON has it, in bytes."""
        return {"rows": self.rows, "disk": self.disk, "memory": self.memory}


def room(steps: Iterable[Step], workspace: Path) -> Room | None:
    """Return what steps will take, from footers and sizes of files; None where none of them is large work.

    Args:
        steps: Those that work, all of one plan.
        workspace: Where relative paths start.
    """
    working = {step.kind: step for step in steps}
    reading = next((working[kind] for kind in DATA if kind in working), None)
    if reading is None:
        return None
    data = working.get("prepare", reading).parameters["data"]
    extent = _extent(data, workspace)
    limit = reading.memory
    if extent is None:
        return Room(None, None, limit, LIBRARIES + DATABASE)
    sized = _Sized(data, extent, _copies(data, workspace))
    needs = [LIBRARIES + min(sized.table, DATABASE)]
    if "train" in working:
        needs.append(LIBRARIES + sized.trained(working["train"].parameters))
    if "evaluate" in working:
        needs.append(LIBRARIES + sized.judged)
    least = max(needs)
    most = max(least, LIBRARIES + sized.table * 3 // 2)
    return Room(
        sized.rows, sized.disk("prepare" in working), min(most, max(limit or _default(), least)), least
    )


def check_room(steps: Sequence[Step], workspace: Path) -> None:
    """Refuse work for which disk or memory is not there.

    Raises:
        PlanError: `data.memory` is too little for these rows.
        MissingError: the machine has too little.
    """
    found = room(steps, workspace)
    if found is None:
        return
    limit = steps[0].memory
    check_promise(found, limit)
    free = _free_memory()
    if free is not None and found.memory is not None and (found.memory if limit else found.least) > free:
        if found.least > free:
            what, fix = f"needs about {_about(found.least)} of memory", "free some, or take fewer rows"
        else:
            what = f"may take {_about(found.memory)} of memory (data.memory)"
            fix = f"set data.memory: {size_text(free // MILLION * MILLION)} or less, or free some"
        raise MissingError(f"the run {what}, and {_about(free)} are free here", where="data.memory", fix=fix)
    disk = shutil.disk_usage(workspace).free
    if found.disk is not None and found.disk > disk:
        more = "" if limit is None else ", or a larger data.memory, so that less waits on disk"
        raise MissingError(
            f"the run needs about {_about(found.disk)} of disk, and {_about(disk)} are free here",
            where=str(workspace),
            fix=f"make room on the disk of '{workspace}'{more}",
        )


def check_promise(found: Room, limit: int | None) -> None:
    """Refuse a `data.memory` in which the rows cannot be worked on.

    Raises:
        PlanError: with the smallest one that can.
    """
    if limit is not None and found.least > limit:
        rows = "" if found.rows is None else f" of {found.rows:,} rows"
        least = -(-found.least // (100 * MILLION)) * 100 * MILLION
        raise PlanError(
            f"a run{rows} cannot work in data.memory: {size_text(limit)}",
            where="data.memory",
            fix=f"set data.memory: {size_text(least)} or more",
        )


class _Sized:
    """What rows take in each part of the work, in bytes."""

    def __init__(self, data: Mapping[str, Any], extent: Extent, copies: _Copies) -> None:
        features = data["features"] if isinstance(data["features"], Mapping) else {}
        kinds = [str(feature["kind"]) for feature in features.values()]
        sample = data.get("sample")
        share = 1.0
        self.rows = extent.rows
        if sample and extent.rows:
            share = min(1.0, sample / extent.rows)
            self.rows = min(sample, extent.rows)
        plain = sum(TEXT if kind in ("category", "binary") else VALUE for kind in kinds)
        # Without a count, a row is about as long as it is wide.
        counts = (extent.rows, extent.lines, extent.bytes // max(len(kinds) * 8, 8))
        count = next(count for count in counts if count is not None)
        self.table = max(extent.bytes, count * (plain + TEXT))
        self._count = int(count * share)
        self._bytes = int(extent.bytes * share)
        self._encoded = sum(WIDTHS.get(kind, 8) for kind in kinds) + 12
        split = data.get("split") or {}
        said = split.get("test")
        self._test = float(said) if isinstance(said, int | float) else TEST
        self._kept, self._waiting = int(self.table * copies.kept), int(self.table * copies.waiting)

    @property
    def judged(self) -> int:
        """Memory that judging takes."""
        return int(self._count * self._test * JUDGED)

    def trained(self, parameters: Mapping[str, Any]) -> int:
        """Memory that training takes, of what grows with the rows."""
        rows = int(self._count * (1 - self._test))
        model = Slot("model").choose(freeze(parameters["model"]))
        if isinstance(model, FittedModel):
            return rows * (self._encoded // 4) * FITTED
        if parameters["training"].get("sampling"):
            return rows * BALANCED
        return min(rows, WHOLE // self._encoded) * PERMUTED

    def disk(self, prepares: bool) -> int:
        """Disk that is taken at once."""
        if not prepares:
            return self._kept + self._waiting
        judged = self._count * self._test
        left = (self._count - judged) * self._encoded + self._count * KEY + self._bytes * self._test / 2
        return self._kept + int(left + max(self._waiting, judged * STORED))


def _extent(data: Mapping[str, Any], workspace: Path) -> Extent | None:
    source = Slot("source").choose(freeze(data["source"]))
    assert isinstance(source, Source)
    try:
        return source.extent(Context(workspace=workspace))
    except MlspecError:
        return None  # not here, or damaged: the step tells


@dataclass(frozen=True)
class _Copies:
    """Which share of a table's bytes is written to disk beside what a run makes of it."""

    kept: float
    """What is kept of files for the next run."""
    waiting: float
    """What lies there while a step works."""


def _copies(data: Mapping[str, Any], workspace: Path) -> _Copies:
    source = Slot("source").choose(freeze(data["source"]))
    if not isinstance(source, FileSource) or source.keeps or data.get("sample"):
        return _Copies(0.0, TYPED)
    several = len(files_of(source, Context(workspace=workspace))) > 1
    kept = PROFILE * several + TYPED * source.parsed
    lies = type(source).numbered is not FileSource.numbered
    return _Copies(kept, 0.0 if source.parsed or lies else TYPED)


def _default() -> int:
    return min(int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * SHARE), MOST)


def _free_memory() -> int | None:
    """Return the bytes that processes may still take, as the system and the group of processes allow."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        now = int(Path("/sys/fs/cgroup/memory.current").read_text())
        cache = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return free
    if most == "max":
        return free
    return min(free, int(most) - now + int(cache.get("file", 0)))


def _about(count: int) -> str:
    for unit, step in (("GB", 10**9), ("MB", 10**6)):
        if count >= step:
            return f"{count / step:.2g} {unit}" if count < 10 * step else f"{count / step:.0f} {unit}"
    return "1 MB"
