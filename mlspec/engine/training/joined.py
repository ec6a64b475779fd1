"""Processes that something else starts, on machines that share a folder, and the one that follows them."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mlspec.engine.files import write_json
from mlspec.engine.training.heard import Heard, judge, last_lines
from mlspec.engine.training.order import FILE, FOLLOWER, SILENCE, log_file, order_folder, order_of, told_file
from mlspec.errors import MissingError, StepError, Terminated
from mlspec.sdk.launcher import Work

PACE = 0.1
"""Seconds between two looks at what was told."""
BEAT = 2.0
"""Seconds between two signs of life."""
GRACE = 2.0
"""Seconds that the other processes have to tell of their own faults once one failed."""
ANSWER = 6.0
"""Seconds in which a process that lives says that it ends."""
SAVING = 120.0
"""Seconds in which a training that was asked to end saves its state."""
LEAVING = 30.0
"""Seconds in which what started the processes ends once they are done."""


class Started(Protocol):
    """What starts the processes."""

    @property
    def name(self) -> str:
        """Return what a user knows it by; once it has failed, with how."""

    log: Path
    """Where what it prints lies."""

    def poll(self) -> int | None:
        """Return its exit status; None while it works."""

    def gone(self) -> frozenset[int]:
        """Return the ranks that it saw end by themselves; none where it cannot tell."""

    def end(self) -> None:
        """End it and what it started; nothing where it has ended."""


@dataclass
class _Followed:
    work: Work
    folder: Path
    started: Started
    wait: float | None
    order: str
    all: list[Heard] = field(default_factory=list)
    read: dict[int, int] = field(default_factory=dict)
    """Bytes of what each told that were taken in."""
    lived: dict[int, float] = field(default_factory=dict)
    """When each gave its last sign of life."""
    beats: int = 0
    next: float = 0.0
    word: str | None = None


def joined(work: Work, start: Callable[[Path], Started], wait: float | None = None) -> None:
    """Train in processes that something else starts; return when all are done.

    The order lies in a folder of the workspace, and so do the files on which the processes tell and the one
    that follows them gives signs of life: the workspace is on a file system that all machines share.

    Args:
        work: What they do.
        start: Starts what starts them; given the order's folder.
        wait: Seconds in which all of them must have come; None: as long as it takes.

    Raises:
        MlspecError: a process failed: its own error, with its rank. The others were ended.
        KeyboardInterrupt: this process or one of them was asked to end; the training's state is saved.
    """
    with _ordered(work) as (folder, order):
        started = start(folder)
        logs = folder if work.context.logs is None else work.context.logs
        ranks = [Heard(rank, log_file(logs, rank)) for rank in range(work.processes)]
        found = _Followed(work, folder, started, wait, order, ranks)
        try:
            try:
                _follow(found, None)
            except KeyboardInterrupt as stop:
                _tell(found, "SIGTERM" if isinstance(stop, Terminated) else "SIGINT")
                _follow(found, time.monotonic() + SAVING)
                raise
            _judge(found)
            _leave(started)
        finally:
            _tell(found, "end")
            started.end()


@contextmanager
def _ordered(work: Work) -> Iterator[tuple[Path, str]]:
    """Write the order; nobody finds it afterwards."""
    folder = order_folder(work.context.workspace, work.context.name, work.context.step)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if work.context.logs is not None:
        for old in work.context.logs.glob("rank-*.txt"):
            old.unlink()
    order = secrets.token_hex(8)
    write_json(folder / FILE, order_of(work) | {"order": order})
    try:
        yield folder, order
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _follow(found: _Followed, until: float | None) -> None:
    """Pass on what the processes tell until all are done, or one failed and the others had their time."""
    began = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= found.next:
            _tell(found, found.word)
        ended = found.started.poll()
        _read(found, now)
        asked = found.word is not None
        if all(one.done or one.stopped for one in found.all) or (
            asked and all(one.over for one in found.all if one.here)
        ):
            return
        late = found.wait is not None and now - began > found.wait and not all(one.here for one in found.all)
        gone = [
            rank for rank, last in found.lived.items() if now - last > SILENCE and not found.all[rank].over
        ]
        failed = any(one.over and not one.done and not one.stopped for one in found.all)
        if until is None and (late or gone or failed or ended is not None):
            until = now + GRACE
        if until is not None and now >= until:
            _end(found)
            return
        time.sleep(PACE)


def _end(found: _Followed) -> None:
    """Ask those that live to end and say so: who says nothing is gone."""
    _tell(found, "end")
    until = time.monotonic() + ANSWER
    while time.monotonic() < until and any(
        one.here and not one.over and one.rank not in found.started.gone() for one in found.all
    ):
        _read(found, time.monotonic())
        time.sleep(PACE)


def _read(found: _Followed, now: float) -> None:
    for one in found.all:
        try:
            # Opened anew each time: a network's file system shows what others wrote when a file is opened.
            with open(told_file(found.folder, one.rank), "rb") as file:
                file.seek(found.read.get(one.rank, 0))
                content = file.read()
        except FileNotFoundError:
            continue
        if content:
            found.read[one.rank] = found.read.get(one.rank, 0) + len(content)
            found.lived[one.rank] = now
            one.hear(content, found.work.context)


def _tell(found: _Followed, word: str | None) -> None:
    """Give a sign of life, and say what the processes shall do."""
    found.word, found.beats, found.next = word, found.beats + 1, time.monotonic() + BEAT
    told = {"order": found.order, "beat": found.beats, "word": word}
    # Whole or not at all, and not flushed to disk: a disk that is busy must not look like silence.
    waiting = found.folder / f".{FOLLOWER}.tmp"
    waiting.write_text(json.dumps(told))
    waiting.replace(found.folder / FOLLOWER)


def _judge(found: _Followed) -> None:
    step, started = found.work.context.step, found.started
    status = started.poll()
    gone = started.gone()
    here = [one for one in found.all if one.here]
    for one in here:
        one.known = started.name if status else ""
        if gone and one.rank not in gone and not one.over:
            # Another's end was seen, and it was ended for that: perhaps before it could say so.
            one.ended = True
    if len(here) == len(found.all) or any(one.over and not one.ended for one in here):
        try:
            judge(here, found.work)
        except KeyboardInterrupt:
            found.work.context.say(f"{started.name} was asked to end: the state of the training is saved")
            raise
        return
    if status is None:
        raise MissingError(
            f"{len(here)} of {len(found.all)} processes came within {found.wait:.0f} seconds",
            where="hardware.launcher",
            fix="start what was told on each of the other machines, in the same folder",
        )
    lines = " / ".join(last_lines(started.log))
    how = (
        f"was ended by the signal {signal.Signals(-status).name}"
        if status < 0
        else f"ended with status {status}"
    )
    what = f"{started.name} {how} when {len(here)} of {len(found.all)} processes had come"
    raise StepError(f"{what}: {lines}" if lines else what, where=step, fix=_look(found))


def _look(found: _Followed) -> str | None:
    log, workspace = found.started.log, found.work.context.workspace
    if found.work.context.logs is None or not log.is_relative_to(workspace):
        return None
    return f"what it printed lies in {log.relative_to(workspace).as_posix()}"


def _leave(started: Started) -> None:
    until = time.monotonic() + LEAVING
    while started.poll() is None and time.monotonic() < until:
        time.sleep(PACE)
