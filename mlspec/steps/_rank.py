"""One of several processes that train together: what `engine/training/processes.py` starts."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from mlspec.engine.training.group import Group
from mlspec.steps._part import GONE, Voice, take_part


def main() -> int:
    """Take part in the training that the first line of stdin describes."""
    pipe, told = int(sys.argv[1]), json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_watch, daemon=True).start()
    voice = Voice(lambda line: _write(pipe, line), told["rank"])
    group = Group(told["rank"], told["ranks"], Path(told["store"]))
    return take_part(told, voice, group)


def _write(pipe: int, line: bytes) -> None:
    while line:
        line = line[os.write(pipe, line) :]


def _watch() -> None:
    """End this process when nobody follows it any more: its stdin is a pipe that ends then."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(GONE)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries' own threads must not hold a process that has told its end.
    os._exit(status)
