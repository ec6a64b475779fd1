"""One run at a time in a workspace; the kernel frees the lock, however its holder ends."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlspec.errors import MissingError


@contextmanager
def lock(workspace: Path, *, wait: bool = False, say: Callable[[str], None] = print) -> Iterator[None]:
    """Hold the workspace.

    Args:
        workspace: The folder with `.dvc`.
        wait: Wait until the holder is done, instead of giving up at once.
        say: Told who is waited for.

    Raises:
        MissingError: another run holds it; says which process, where and since when. Or nothing can be locked
            on that disk.
    """
    path = workspace / ".mlspec" / "run.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(descriptor, path, wait, say)
        _write(descriptor)
        yield
    finally:
        # Closing frees it; the text stays, and means nothing without the lock.
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait: bool, say: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as busy:
            holder, elsewhere = _holder(path)
            if not wait:
                raise MissingError(
                    f"another run works in this workspace: {holder}",
                    where=str(path.parents[1]),
                    fix=f"wait for it with --wait, or stop it{' there' if elsewhere else ''}",
                ) from busy
            if not told:
                say(f"waiting for {holder}")
                told = True
            time.sleep(0.2)
        except OSError as fault:
            raise MissingError(
                f"two runs could not be told apart: nothing can be locked on the disk of '{path}' "
                f"({fault.strerror})",
                where=str(path.parents[1]),
                fix="work on a disk of this machine, or on a network disk with locks",
            ) from fault


def _write(descriptor: int) -> None:
    content = {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)


def _holder(path: Path) -> tuple[str, bool]:
    """Return who holds the workspace, and whether that process is on another machine (a shared disk)."""
    try:
        holder: dict[str, Any] = json.loads(path.read_text("utf-8"))
        elsewhere = holder["host"] != platform.node()
        host = f"{holder['host']}{', which is another machine' if elsewhere else ''}"
        return f"pid {holder['pid']} on {host}, since {holder['since']}: {holder['command']}", elsewhere
    except (ValueError, LookupError, TypeError, OSError):
        return "a process that has not said its name yet", False
