"""A worker of Ray Train that takes part in a training: what `engine/training/ray_train.py` starts."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from mlspec.engine.training.seat import Seat
from mlspec.errors import Terminated
from mlspec.steps._join import Ways, join
from mlspec.steps._part import GONE

ENDING = 10.0
"""Seconds in which Ray Train ends the workers of a training that is over."""


def work(told: Mapping[str, str]) -> None:
    """Take part in the training whose order is told of, in the place that Ray Train gave.

    Ray Train runs it in a thread of the worker, which no signal reaches: what a signal says elsewhere is told
    by words.

    Args:
        told: `workspace`, and the folder of the `order`.
    """
    from ray.train import get_context

    place = get_context()
    seat = Seat(
        place.get_world_rank(),
        place.get_world_size(),
        place.get_local_rank(),
        place.get_local_world_size(),
    )
    os.chdir(told["workspace"])
    asked: list[KeyboardInterrupt] = []

    def ask(number: signal.Signals) -> None:
        asked.append(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())

    over = threading.Event()

    def leave() -> None:
        over.set()
        time.sleep(ENDING)
        os._exit(GONE)

    ways = Ways(ask, lambda: asked[0] if asked else None, leave)
    status = join(Path(told["order"]), Path(told["workspace"]), seat, ways)
    if status not in (0, 130):
        # Not before: Ray Train ends the others for it, and they shall say first that they live.
        over.wait()
        raise RuntimeError(
            f"process {seat.rank} of {seat.ranks} failed, and told why to the one that follows"
        )
