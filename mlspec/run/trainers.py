"""Processes that train the trials of a sweep."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mlspec.engine.training.heard import last_lines
from mlspec.engine.training.piped import Piped
from mlspec.engine.training.threads import threads

GRACE = 0.5
"""Seconds that a training has to save its state once it is asked to end."""


@dataclass
class Trainer:
    """One process; it trains one trial at a time."""

    piped: Piped
    log: Path
    trial: Any = None
    """What it trains; None while it waits."""
    began: float = 0.0
    rest: bytes = b""
    heard: dict[str, Any] = field(default_factory=dict)

    def order(self, given: Mapping[str, Any]) -> None:
        """Send it a line."""
        self.piped.order(given)

    def end(self) -> str:
        """Return how it ended, in words."""
        status = self.piped.process.wait()
        if status < 0:
            name = signal.Signals(-status).name
            return f"its process was ended by the signal {name}" + (
                ", as the system does when memory is short" if status == -signal.SIGKILL else ""
            )
        lines = " / ".join(last_lines(self.log))
        return f"its process ended with status {status}" + (f": {lines}" if lines else "")


class Trainers:
    """All of them; they end with the block that holds them, also when this process is killed.

    Args:
        count: How many train at a time; each has its part of the threads.
        workspace: The folder with `.dvc`.
        logs: Where what they print goes, in `trainer-<n>.txt`.
    """

    def __init__(self, count: int, workspace: Path, logs: Path) -> None:
        self._count, self._workspace, self._logs = count, workspace, logs
        self._selector = selectors.DefaultSelector()
        self.all: dict[int, Trainer] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for one in self.all.values():
                one.piped.process.send_signal(signal.SIGTERM)
            until = time.monotonic() + GRACE
            for one in self.all.values():
                with suppress(subprocess.TimeoutExpired):
                    one.piped.process.wait(max(0.0, until - time.monotonic()))
        for place in tuple(self.all):
            self._remove(place)
        self._selector.close()

    def free(self) -> Trainer | None:
        """Return a process that waits, a new one where there are fewer than wanted; None where all train."""
        for one in self.all.values():
            if one.trial is None:
                return one
        places = [place for place in range(self._count) if place not in self.all]
        return self._started(places[0]) if places else None

    def listen(self, heard: Callable[[Trainer, str, Any], None]) -> None:
        """Pass on what they tell; `gone` is told of one that has ended, with how.

        Args:
            heard: Told `(trainer, word, value)`.
        """
        for key, _ in self._selector.select(1.0):
            place, one = key.data, self.all[key.data]
            content = os.read(one.piped.told, 1 << 16)
            *lines, one.rest = (one.rest + content).split(b"\n")
            for line in lines:
                for word, value in json.loads(line).items():
                    heard(one, word, value)
            if not content:
                how = one.end()
                self._remove(place)
                heard(one, "gone", how)

    def _remove(self, place: int) -> None:
        one = self.all.pop(place)
        self._selector.unregister(one.piped.told)
        one.piped.close()

    def _started(self, place: int) -> Trainer:
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"trainer-{place}.txt"
        share = {"OMP_NUM_THREADS": str(max(1, threads() // self._count))}
        one = Trainer(Piped.started("mlspec.steps._trial", log, self._workspace, share), log)
        self.all[place] = one
        self._selector.register(one.piped.told, selectors.EVENT_READ, place)
        return one
