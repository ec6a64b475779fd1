"""A process that torchrun or a cluster started to take part in a training that another process follows."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json
from mlspec.engine.training.order import FILE, FOLLOWER, SILENCE, log_file, told_file
from mlspec.engine.training.seat import Seat
from mlspec.errors import MissingError
from mlspec.steps._part import GONE, Voice, take_part

PACE = 1.0
"""Seconds between two words of progress, and between two looks at the one that follows."""
BEAT = 10
"""Looks between two signs of life."""
ABSENT = 30
"""Looks at an absent follower's file until it is taken for gone: a network's file system may be late."""


def signalled(number: signal.Signals) -> None:
    """Ask this process to end, as whoever started it would."""
    os.kill(os.getpid(), number)


def leave() -> None:
    """End this process, whatever it does."""
    os._exit(GONE)


@dataclass(frozen=True)
class Ways:
    """How a process of a training hears that it shall end."""

    ask: Callable[[signal.Signals], None] = signalled
    """Told the signal by which the one that follows asks the training to save its state and end."""
    asked: Callable[[], KeyboardInterrupt | None] = lambda: None
    """Gives what has asked for that where no signal can."""
    leave: Callable[[], None] = leave
    """Called where the one that follows says that all is over."""


def join(folder: Path, workspace: Path, seat: Seat, ways: Ways = Ways()) -> int:
    """Take part in the training whose order lies in a folder, and return the exit status.

    What this process prints goes to `rank-<n>.txt` among the step's logs. It is ended where the one that
    follows says so, or is gone.

    Args:
        folder: Where the order lies.
        workspace: The workspace, as it is called on this machine.
        seat: This process's place.
        ways: How it hears that it shall end.

    Raises:
        MissingError: no training waits for processes here.
    """
    try:
        order: dict[str, Any] = read_json(folder / FILE)
    except FileNotFoundError:
        raise MissingError(
            "no training waits for processes of other machines in this folder",
            where=str(workspace),
            fix="start `mlspec run` on the first machine, in the same folder of a file system that all share",
        ) from None
    log = log_file(folder if order["logs"] is None else workspace / order["logs"], seat.rank)
    line = f"process {seat.rank} of {seat.ranks} (counted from 0) takes part in '{order['name']}'"
    sys.stderr.write(f"{line}; what it prints goes to {log}\n")
    _print_into(log)
    told = told_file(folder, seat.rank)
    voice = Voice(lambda line: _append(told, line), seat.rank, PACE)
    voice.tell("here", socket.gethostname())
    over = threading.Event()
    threading.Thread(target=_watch, args=(folder, order["order"], voice, ways, over), daemon=True).start()
    status = _take_part(order | {"workspace": str(workspace)}, voice, seat, ways)
    if status in (0, 130):
        over.set()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _take_part(order: Mapping[str, Any], voice: Voice, seat: Seat, ways: Ways) -> int:
    from mlspec.engine.training.group import Group

    if seat.ranks != order["ranks"]:
        fault = MissingError(
            f"{seat.ranks} processes were started, and hardware asks for {order['ranks']}",
            where="hardware.devices",
            fix="start on each machine exactly what `mlspec run` told",
        )
        from mlspec.steps._part import plain

        voice.tell("fault", plain(fault))
        return fault.exit_code
    group = Group(seat.rank, seat.ranks, local=seat.local, here=seat.here)
    return take_part(order, voice, group, ways.asked)


def _print_into(file: Path) -> None:
    """Let what this process prints go to a file, also what libraries print that are not Python."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "ab") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())


def _append(file: Path, line: bytes) -> None:
    # Closed each time: a network's file system shows it to others then.
    with open(file, "ab") as told:
        told.write(line)


def _watch(folder: Path, order: str, voice: Voice, ways: Ways, over: threading.Event) -> None:
    """Give signs of life, and end this process when the one that follows says so, or is gone."""
    seen, changed, absent, looks = -1, time.monotonic(), 0, 0
    asked = False
    while not over.wait(PACE if looks else 0):
        looks += 1
        try:
            told = json.loads((folder / FOLLOWER).read_bytes())
            absent = 0
        except (OSError, ValueError):
            absent += 1
            told = {"order": order, "beat": seen, "word": None}
        if told["beat"] != seen:
            seen, changed = told["beat"], time.monotonic()
        gone = told["order"] != order or absent > ABSENT or time.monotonic() - changed > SILENCE
        if gone:
            leave()
        if told["word"] == "end":
            voice.tell("ended", True)
            ways.leave()
        if told["word"] is not None and not asked:
            asked = True
            ways.ask(signal.Signals[told["word"]])
        if looks % BEAT == 0:
            voice.tell("alive", looks)
