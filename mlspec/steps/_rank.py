"""One of several processes that train together: what `engine/training/processes.py` starts."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GONE = 70
"""Exit status where the process that follows this one is gone."""
PACE = 0.1
"""Seconds between two words of progress."""


class Voice:
    """Tells the process that follows this one, a line of JSON each.

    Args:
        pipe: The writing end.
        rank: Whose voice it is: of progress and news rank 0 tells alone.
    """

    def __init__(self, pipe: int, rank: int) -> None:
        self._pipe, self._rank, self._next = pipe, rank, 0.0

    def tell(self, word: str, value: Any) -> None:
        """Tell something."""
        line = json.dumps({word: value}).encode() + b"\n"
        while line:
            line = line[os.write(self._pipe, line) :]

    def say(self, line: str) -> None:
        """Tell what the user should read."""
        if self._rank == 0:
            self.tell("say", line)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Tell how far it is, now and then."""
        now = time.monotonic()
        if self._rank == 0 and now >= self._next:
            self._next = now + PACE
            self.tell("progress", [done, total, unit])


def main() -> int:
    """Take part in the training that the first line of stdin describes."""
    told = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_watch, daemon=True).start()
    voice = Voice(told["tells"], told["rank"])
    try:
        _train(told, voice)
    except KeyboardInterrupt as stop:
        voice.tell("stopped", type(stop).__name__)
        return 130
    except Exception as fault:  # noqa: BLE001 - told to the process that follows
        traceback.print_exc()
        sys.stderr.flush()
        # Told before the others can notice that this process is gone.
        voice.tell("fault", _plain(fault))
        return 1
    voice.tell("done", True)
    return 0


def _watch() -> None:
    """End this process when nobody follows it any more: its stdin is a pipe that ends then."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(GONE)


def _train(told: Mapping[str, Any], voice: Voice) -> None:
    from mlspec import registry
    from mlspec.engine.training.group import Group
    from mlspec.sdk.context import Context
    from mlspec.sdk.terminable import terminable
    from mlspec.steps.train import train

    given = dict(told["context"])
    for name in ("workspace", "scratch", "logs"):
        given[name] = None if given[name] is None else Path(given[name])
    context = Context(**given, progress=voice.progress, say=voice.say)
    registry.attach(context.workspace)
    inputs = {name: Path(path) for name, path in told["inputs"].items()}
    group = Group(told["rank"], told["ranks"], Path(told["store"]))
    with terminable():
        train(told["parameters"], inputs, Path(told["output"]), context, group=group)


def _plain(fault: Exception) -> dict[str, Any]:
    from mlspec.errors import MlspecError

    at = time.monotonic()
    if isinstance(fault, MlspecError):
        where = None if fault.where is None else str(fault.where)
        return {"sort": type(fault).__name__, "what": fault.what, "where": where, "fix": fault.fix, "at": at}
    what = f"the training failed: {type(fault).__name__}: {fault}"
    return {"sort": "StepError", "what": what, "where": None, "fix": None, "at": at}


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries' own threads must not hold a process that has told its end.
    os._exit(status)
