"""What killed processes and merges leave of DVC's files, repaired."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mlspec.engine.files import write_bytes
from mlspec.engine.spill import SPILLS
from mlspec.plan.plan import Plan
from mlspec.plan.sides import sides
from mlspec.run.merged import merged

_PID_OF_FOLDER = re.compile(r"-(\d+)$")
_PID_OF_FILE = re.compile(r"\.(\d+)\.tmp$")


def mend(root: Path, plan: Plan, written: Sequence[str] = ()) -> tuple[str, ...]:
    """Repair what `kill -9` and merges leave, under the workspace's lock; return what was done, as lines.

    Args:
        root: The workspace.
        plan: What is about to be run.
        written: Globs of the folders in which files may lie that were not written to their end.
    """
    _sweep((root / ".mlspec" / "tmp").glob("*"), _PID_OF_FOLDER)
    _sweep_spills(root / ".mlspec" / "scratch")
    _sweep((file for folder in written for file in root.glob(f"{folder}/.*.tmp")), _PID_OF_FILE)
    return (*_mend_rwlock(root / ".dvc" / "tmp"), *_mend_locks(root, plan))


def _mend_rwlock(folder: Path) -> Iterator[str]:
    """Remove an unreadable rwlock, and entries of processes that are gone."""
    path = folder / "rwlock"
    if not path.exists():
        return
    import psutil
    from dvc.lock import LockError, make_lock

    held = make_lock(str(folder / "rwlock.lock"), tmp_dir=str(folder))
    try:
        held.lock()
    except LockError:
        return  # a living process is writing it
    try:
        content = json.loads(path.read_text("utf-8"))
        alive = _alive(content, psutil.pid_exists)
        if alive != content:
            write_bytes(path, json.dumps(alive).encode())
            yield "removed locks of processes that were killed"
    except (ValueError, AttributeError, KeyError, TypeError):
        path.unlink()
        yield "removed a lock file that a killed process left torn"
    finally:
        held.unlock()


def _alive(content: dict[str, Any], exists: Callable[[int], bool]) -> dict[str, Any]:
    # This process holds nothing yet: an entry with its id is of an older process with the same one.
    def living(info: dict[str, Any]) -> bool:
        return bool(info["pid"] != os.getpid() and exists(info["pid"]))

    write = {path: info for path, info in content.get("write", {}).items() if living(info)}
    read = {path: [info for info in infos if living(info)] for path, infos in content.get("read", {}).items()}
    kept = {"write": write, "read": {path: infos for path, infos in read.items() if infos}}
    return {mode: kept[mode] for mode in content if mode in kept}


def _mend_locks(root: Path, plan: Plan) -> Iterator[str]:
    """Make a dvc.lock readable that a merge left with both sides, or a killed `dvc repro` torn."""
    import yaml

    for path in sorted((root / "pipelines").glob("*/dvc.lock")):
        name = path.relative_to(root)
        try:
            _check_lock(path)
            continue
        except (yaml.YAMLError, UnicodeDecodeError, ValueError):
            text = path.read_text("utf-8", "replace")
        steps = (step for step in (plan.guard, *plan.steps) if step.pipeline == path.parent.name)
        both = merged(text, steps)
        if both is not None:
            from dvc.utils.serialize import dumps_yaml

            write_bytes(path, dumps_yaml({"schema": "2.0", "stages": both}).encode())
            yield f"{name} had both sides of a merge: each step was taken from the side that fits the spec"
            continue
        path.unlink()
        why = "which a merge left in pieces" if sides(text) else "torn by a killed process"
        yield f"removed {name}, {why}: DVC's cache has what it said"


def _check_lock(path: Path) -> None:
    import yaml

    from mlspec.run._lock_loader import LockLoader

    text = path.read_text("utf-8")
    content = yaml.load(text, Loader=LockLoader)
    if not text.endswith("\n") or not isinstance(content, dict) or "schema" not in content:
        raise ValueError(path)
    for entry in (content.get("stages") or {}).values():
        if not isinstance(entry, dict) or "cmd" not in entry or not isinstance(entry.get("outs"), list):
            raise ValueError(path)


def worked_at(path: Path, pid_of: re.Pattern[str] = _PID_OF_FOLDER) -> bool:
    """Return whether another living process is at a file or folder, whose name ends with its maker's id."""
    import psutil

    named = pid_of.search(path.name)
    return named is not None and int(named[1]) != os.getpid() and psutil.pid_exists(int(named[1]))


def _sweep_spills(scratch: Path) -> None:
    """Remove what killed processes spilled; a step's folder goes where nothing else is in it."""
    for kind in SPILLS:
        for left in scratch.glob(f"*/{kind}-*"):
            _sweep([left], _PID_OF_FOLDER)
            with contextlib.suppress(OSError):
                left.parent.rmdir()


def _sweep(found: Iterable[Path], pid_of: re.Pattern[str]) -> None:
    """Remove what killed processes left half made; what a living one is at is left alone."""
    for left in sorted(found):
        if pid_of.search(left.name) is None or worked_at(left, pid_of):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
