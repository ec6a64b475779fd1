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
from typing import Any

from mlspec import errors
from mlspec.engine.training.threads import threads
from mlspec.errors import MlspecError, StepError, Terminated
from mlspec.sdk.launcher import Work

GRACE = 2.0
"""Seconds that the other processes have to tell of their own faults once one is gone."""
SAVING = 60.0
"""Seconds in which a training that was asked to end saves its state."""
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
SHOWN = 3
"""Last lines of what a process printed that are told when it ended without a word."""


@dataclass
class Child:
    """One process and what it told."""

    rank: int
    process: subprocess.Popen[bytes]
    told: int
    """The reading end of the pipe on which it tells, a line of JSON each."""
    log: Path
    rest: bytes = b""
    fault: dict[str, Any] | None = None
    stopped: str | None = None
    """Name of the exception with which it was asked to end."""
    done: bool = False
    status: int | None = None


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
        _judge(found)


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
    child = Child(rank, process, told, log)
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(_told(work, rank, tells, folder / "store")).encode() + b"\n")
        process.stdin.flush()  # and left open: its end tells the child that nobody follows it any more
    return child


def _shared(processes: int) -> dict[str, str]:
    """Return what each process finds in its environment."""
    part = str(max(1, threads() // processes))
    return {"OMP_NUM_THREADS": part, "GLOO_SOCKET_IFNAME": LOOPBACK, "NCCL_SOCKET_IFNAME": LOOPBACK}


def _told(work: Work, rank: int, tells: int, store: Path) -> dict[str, Any]:
    """Return what a process must know, as JSON can hold it."""
    context = work.context
    return {
        "parameters": work.parameters,
        "inputs": {name: str(path) for name, path in work.inputs.items()},
        "output": str(work.output),
        "context": {
            "workspace": str(context.workspace),
            "name": context.name,
            "step": context.step,
            "scratch": str(context.scratch),
            "checkpoint_every": context.checkpoint_every,
            "locks": dict(context.locks),
            "logs": None if context.logs is None or rank else str(context.logs),
        },
        "tells": tells,
        "rank": rank,
        "ranks": work.processes,
        "store": str(store),
    }


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
                if not _heard(child, found.work):
                    selector.unregister(child.told)
                    child.status = child.process.wait()
                    if not child.done and until is None:
                        until = time.monotonic() + GRACE


def _heard(child: Child, work: Work) -> bool:
    """Take in what a process told; False once it will tell nothing more."""
    content = os.read(child.told, 1 << 16)
    *lines, child.rest = (child.rest + content).split(b"\n")
    for line in lines:
        for word, value in json.loads(line).items():
            if word == "progress":
                work.context.progress(*value)
            elif word == "say":
                work.context.say(value)
            elif word == "fault":
                child.fault = value
            elif word == "stopped":
                child.stopped = value
            elif word == "done":
                child.done = True
    return bool(content)


def _judge(found: Children) -> None:
    """Raise what went wrong: a process that was killed before those that missed it, else the first fault."""
    failed = [child for child in found.all if child.status is not None and not child.done]
    silent = [child for child in failed if child.fault is None and child.stopped is None]
    for child in silent:
        raise _ended(child, found.work)
    faults = [child for child in failed if child.fault is not None]
    if faults:
        raise _fault(min(faults, key=lambda child: float((child.fault or {})["at"])), found.work)
    for child in failed:
        raise Terminated if child.stopped == "Terminated" else KeyboardInterrupt
    if not all(child.done for child in found.all):
        raise StepError("a process of the training did not end", where=found.work.context.step)


def _fault(child: Child, work: Work) -> MlspecError:
    fault = child.fault or {}
    sort = getattr(errors, str(fault["sort"]), StepError)
    if not (isinstance(sort, type) and issubclass(sort, MlspecError)) or sort is errors.SpecError:
        sort = StepError
    what = f"{fault['what']} (process {child.rank} of {work.processes}, counted from 0)"
    return sort(what, where=fault["where"] or work.context.step, fix=fault["fix"] or _look(child, work))


def _ended(child: Child, work: Work) -> StepError:
    status = child.status or 0
    if status < 0:
        how = f"was ended by the signal {signal.Signals(-status).name}"
        how += ", as the system does when memory is short" if status == -signal.SIGKILL else ""
    else:
        lines = child.log.read_text(errors="replace").strip().splitlines()[-SHOWN:]
        how = f"ended with status {status}" + (f": {' / '.join(lines)}" if lines else "")
    what = f"process {child.rank} of {work.processes} of the training (counted from 0) {how}"
    return StepError(what, where=work.context.step, fix=_look(child, work))


def _look(child: Child, work: Work) -> str | None:
    if work.context.logs is None or not child.log.is_relative_to(work.context.workspace):
        return None
    return f"what it printed lies in {child.log.relative_to(work.context.workspace).as_posix()}"
