"""A process that torchrun or a cluster started to take part in a training that another process follows."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
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


def join(folder: Path, workspace: Path, seat: Seat) -> int:
    """Take part in the training whose order lies in a folder, and return the exit status.

    What this process prints goes to `rank-<n>.txt` among the step's logs.

    Args:
        folder: Where the order lies.
        workspace: The workspace, as it is called on this machine.
        seat: This process's place.

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
    threading.Thread(target=_watch, args=(folder, order["order"], voice), daemon=True).start()
    status = _take_part(order | {"workspace": str(workspace)}, voice, seat)
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries' own threads must not hold a process that has told its end.
    os._exit(status)


def _take_part(order: Mapping[str, Any], voice: Voice, seat: Seat) -> int:
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
    return take_part(order, voice, Group(seat.rank, seat.ranks, local=seat.local, here=seat.here))


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


def _watch(folder: Path, order: str, voice: Voice) -> None:
    """Give signs of life, and end this process when the one that follows says so, or is gone."""
    seen, changed, absent, looks = -1, time.monotonic(), 0, 0
    asked = False
    while True:
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
        if gone or told["word"] == "end":
            if not gone:
                voice.tell("ended", True)
            os._exit(GONE)
        if told["word"] is not None and not asked:
            asked = True
            os.kill(os.getpid(), signal.Signals[told["word"]])
        if looks % BEAT == 0:
            voice.tell("alive", looks)
        time.sleep(PACE)
