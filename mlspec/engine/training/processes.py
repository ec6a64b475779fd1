"""Several processes of this machine that train one model, and the one that follows them."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mlspec.engine.training.heard import Heard, judge
from mlspec.engine.training.order import order_of
from mlspec.engine.training.piped import Piped
from mlspec.engine.training.threads import threads
from mlspec.errors import Terminated
from mlspec.sdk.launcher import Work

GRACE = 2.0
"""Seconds that the other processes have to tell of their own faults once one is gone."""
SAVING = 60.0
"""Seconds in which a training that was asked to end saves its state."""
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


@dataclass
class Child(Heard):
    """One process, and what it told."""

    piped: Piped = field(kw_only=True)


@dataclass
class Children:
    """All processes of a training."""

    work: Work
    all: list[Child] = field(default_factory=list)


def processes(work: Work) -> None:
    """Train in several processes; return when all are done.

    Each has a device, its part of the threads and a pipe on which it tells; what it prints goes to
    `rank-<n>.txt` among the step's logs. They find each other on a file in a folder that only this user can
    read, and talk over the loopback interface. A process whose parent is gone ends itself.

    Raises:
        MlspecError: a process failed: its own error, with its rank. The others were ended.
        KeyboardInterrupt: this process or one of them was asked to end; the training's state is saved.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mlspec-ranks-") as folder,
        _children(work, Path(folder)) as found,
    ):
        try:
            _follow(found, None)
        except KeyboardInterrupt as stop:
            number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
            for child in found.all:
                if child.status is None:
                    child.piped.process.send_signal(number)
            _follow(found, time.monotonic() + SAVING)
            raise
        judge([child for child in found.all if child.status is not None], work)


@contextmanager
def _children(work: Work, folder: Path) -> Iterator[Children]:
    found = Children(work)
    try:
        for rank in range(work.processes):
            found.all.append(_started(work, rank, folder))
        yield found
    finally:
        for child in found.all:
            child.piped.close()


def _started(work: Work, rank: int, folder: Path) -> Child:
    context = work.context
    logs = folder if context.logs is None else context.logs
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"rank-{rank}.txt"
    log.unlink(missing_ok=True)
    piped = Piped.started("mlspec.steps._rank", log, context.workspace, _shared(work.processes))
    given = {"rank": rank, "ranks": work.processes, "store": str(folder / "store")}
    piped.order(order_of(work) | {"workspace": str(context.workspace)} | given)
    return Child(rank, log, piped=piped)


def _shared(processes: int) -> dict[str, str]:
    """Return what each process finds in its environment."""
    part = str(max(1, threads() // processes))
    return {"OMP_NUM_THREADS": part, "GLOO_SOCKET_IFNAME": LOOPBACK, "NCCL_SOCKET_IFNAME": LOOPBACK}


def _follow(found: Children, until: float | None) -> None:
    """Pass on what the processes tell until all have ended, or one failed and the others had their time."""
    with selectors.DefaultSelector() as selector:
        for child in found.all:
            if child.status is None:
                selector.register(child.piped.told, selectors.EVENT_READ, child)
        while selector.get_map():
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            for key, _ in selector.select(left):
                child = key.data
                content = os.read(child.piped.told, 1 << 16)
                child.hear(content, found.work.context)
                if not content:
                    selector.unregister(child.piped.told)
                    child.status = child.piped.process.wait()
                    if not child.done and until is None:
                        until = time.monotonic() + GRACE
