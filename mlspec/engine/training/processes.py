"""Several processes of this machine that train one model, and the one that follows them."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mlspec.engine.training.heard import Heard, judge
from mlspec.engine.training.order import order_of
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
    """One process, and the pipe on which it tells."""

    process: subprocess.Popen[bytes] = field(kw_only=True)
    told: int = field(kw_only=True)
    """The reading end of the pipe."""


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
                    child.process.send_signal(number)
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
            with suppress(ProcessLookupError):
                child.process.kill()
            child.process.wait()
            os.close(child.told)
            if child.process.stdin is not None:
                with suppress(OSError):
                    child.process.stdin.close()


def _started(work: Work, rank: int, folder: Path) -> Child:
    context = work.context
    logs = folder if context.logs is None else context.logs
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"rank-{rank}.txt"
    told, tells = os.pipe()
    try:
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mlspec.steps._rank"],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                cwd=context.workspace,
                env=os.environ | _shared(work.processes),
                pass_fds=(tells,),
                # Ctrl-C on a terminal reaches the one that follows, which tells the others.
                start_new_session=True,
            )
    finally:
        os.close(tells)
    child = Child(rank, log, process=process, told=told)
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        given = {"tells": tells, "rank": rank, "ranks": work.processes, "store": str(folder / "store")}
        order = order_of(work) | {"workspace": str(context.workspace)} | given
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()  # and left open: its end tells the child that nobody follows it any more
    return child


def _shared(processes: int) -> dict[str, str]:
    """Return what each process finds in its environment."""
    part = str(max(1, threads() // processes))
    return {"OMP_NUM_THREADS": part, "GLOO_SOCKET_IFNAME": LOOPBACK, "NCCL_SOCKET_IFNAME": LOOPBACK}


def _follow(found: Children, until: float | None) -> None:
    """Pass on what the processes tell until all have ended, or one failed and the others had their time."""
    with selectors.DefaultSelector() as selector:
        for child in found.all:
            if child.status is None:
                selector.register(child.told, selectors.EVENT_READ, child)
        while selector.get_map():
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            for key, _ in selector.select(left):
                child = key.data
                content = os.read(child.told, 1 << 16)
                child.hear(content, found.work.context)
                if not content:
                    selector.unregister(child.told)
                    child.status = child.process.wait()
                    if not child.done and until is None:
                        until = time.monotonic() + GRACE
