"""A process that trains one trial of a sweep after the other, and tells what comes of each."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.steps._part import GONE, Voice, plain


def main() -> None:
    """Take orders from stdin, a line of JSON each, until it ends; tell on the pipe that is named."""
    tells = int(sys.argv[1])
    voice = Voice(lambda line: _write(tells, line), 0)
    orders: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    voice.tell("here", os.getpid())
    while True:
        _attempt(orders.get(), orders, voice)


def _write(pipe: int, line: bytes) -> None:
    try:
        os.write(pipe, line)
    except BrokenPipeError:
        os._exit(GONE)


def _listen(orders: queue.Queue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    os._exit(GONE)  # nobody follows this process any more


def _attempt(order: Mapping[str, Any], answers: queue.Queue[dict[str, Any]], voice: Voice) -> None:
    from mlspec.sdk.trial import Pruned

    try:
        _train(order, answers, voice)
    except KeyboardInterrupt:
        os._exit(GONE)
    except Pruned:
        voice.tell("pruned", True)
    except Exception as fault:  # noqa: BLE001 - told to the process that follows
        traceback.print_exc()
        sys.stderr.flush()
        voice.tell("fault", plain(fault))


def _train(order: Mapping[str, Any], answers: queue.Queue[dict[str, Any]], voice: Voice) -> None:
    from mlspec import registry
    from mlspec.sdk.context import Context
    from mlspec.sdk.slot import Slot
    from mlspec.sdk.terminable import terminable
    from mlspec.sdk.trial import Pruned, Trial
    from mlspec.steps.train import train

    def told(epoch: int, value: float) -> None:
        voice.tell("epoch", [epoch, value])
        if answers.get()["prune"]:
            raise Pruned

    workspace = Path(order["workspace"])
    registry.attach(workspace)
    metric: Any = Slot("metric").choose(order["metric"])
    scratch, logs = workspace / order["scratch"], workspace / order["logs"]
    for folder in (scratch, logs):
        folder.mkdir(parents=True, exist_ok=True)
    context = Context(
        workspace=workspace,
        name=order["name"],
        step="train",
        scratch=scratch,
        checkpoint_every=order["checkpoint_every"],
        locks=order["locks"],
        logs=logs,
        progress=voice.progress,
        say=lambda line: print(line, file=sys.stderr),  # noqa: T201 - the process's own log
        trial=Trial(metric, told, lambda value, epochs: voice.tell("ended", [value, epochs])),
    )
    inputs = {name: workspace / path for name, path in order["inputs"].items()}
    voice.tell("began", True)
    with terminable():
        train(order["parameters"], inputs, scratch, context)


if __name__ == "__main__":
    main()
