"""What a process does that trains together with others, and how it tells of it."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlspec.engine.training.group import Group

GONE = 70
"""Exit status where the process that follows this one is gone."""
PACE = 0.1
"""Seconds between two words of progress."""


class Voice:
    """Tells the process that follows this one, a line of JSON each.

    Args:
        write: Takes a line.
        rank: Whose voice it is: of progress and news rank 0 tells alone.
        pace: Seconds between two words of progress.
    """

    def __init__(self, write: Callable[[bytes], None], rank: int, pace: float = PACE) -> None:
        self._write, self._rank, self._pace, self._next = write, rank, pace, 0.0
        self._alone = threading.Lock()

    def tell(self, word: str, value: Any) -> None:
        """Tell something; from any thread."""
        with self._alone:
            self._write(json.dumps({word: value}).encode() + b"\n")

    def say(self, line: str) -> None:
        """Tell what the user should read."""
        if self._rank == 0:
            self.tell("say", line)

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Tell how far it is, now and then."""
        now = time.monotonic()
        if self._rank == 0 and now >= self._next:
            self._next = now + self._pace
            self.tell("progress", [done, total, unit])


def take_part(
    told: Mapping[str, Any],
    voice: Voice,
    group: Group,
    asked: Callable[[], KeyboardInterrupt | None] = lambda: None,
) -> int:
    """Take part in a training, tell how it ended, and return the exit status.

    Args:
        told: The order (see `engine/training/order.py`) and the `workspace` as it is called here.
        voice: Tells the process that follows.
        group: This process's place.
        asked: Gives what has asked the training to end where no signal can.
    """
    try:
        _train(told, voice, group, asked)
    except KeyboardInterrupt as stop:
        voice.tell("stopped", type(stop).__name__)
        return 130
    except Exception as fault:  # noqa: BLE001 - told to the process that follows
        traceback.print_exc()
        sys.stderr.flush()
        # Told before the others can notice that this process is gone.
        voice.tell("fault", plain(fault))
        return 1
    voice.tell("done", True)
    return 0


def _train(
    told: Mapping[str, Any], voice: Voice, group: Group, asked: Callable[[], KeyboardInterrupt | None]
) -> None:
    from mlspec import registry
    from mlspec.sdk.context import Context
    from mlspec.sdk.terminable import terminable
    from mlspec.steps.train import train

    workspace = Path(told["workspace"])
    context = Context(
        workspace=workspace,
        name=told["name"],
        step=told["step"],
        scratch=workspace / told["scratch"],
        checkpoint_every=told["checkpoint_every"],
        profile=told["profile"],
        memory=told["memory"],
        locks=told["locks"],
        logs=None if told["logs"] is None or group.rank else workspace / told["logs"],
        progress=voice.progress,
        say=voice.say,
        asked=asked,
    )
    registry.attach(workspace)
    inputs = {name: workspace / path for name, path in told["inputs"].items()}
    with terminable():
        train(told["parameters"], inputs, workspace / told["output"], context, group=group)


def plain(fault: Exception) -> dict[str, Any]:
    """Return a fault as it is told; `at` is when, in seconds of the clock on the wall."""
    from mlspec.errors import MlspecError

    at = time.time()
    if isinstance(fault, MlspecError):
        where = None if fault.where is None else str(fault.where)
        return {"sort": type(fault).__name__, "what": fault.what, "where": where, "fix": fault.fix, "at": at}
    what = f"the training failed: {type(fault).__name__}: {fault}"
    return {"sort": "StepError", "what": what, "where": None, "fix": None, "at": at}
