"""What the system refuses to a run: room on a disk, or the right to write."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mlspec.errors import MissingError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM)


def refused(fault: BaseException, workspace: Path) -> MissingError | None:
    """Return what the user must hear where a run ended because the system refused a file; else None.

    Libraries wrap what the system says, so the whole chain of causes is looked at.

    Args:
        fault: What ended the run.
        workspace: Named where the system named no path.
    """
    for inner in _chain(fault):
        number = inner.errno if isinstance(inner, OSError) else None
        named = inner.filename if isinstance(inner, OSError) else None
        path = _there(str(named)) if named is not None else str(workspace)
        if number in FULL or (number is None and "No space left on device" in str(inner)):
            what, fix = (
                "there is no room left on the disk of",
                f"make room (`df -h {path}` shows how much there is)",
            )
        elif number == errno.EROFS:
            what, fix = (
                "the disk is read-only that holds",
                "mount it for writing, or work in a copy elsewhere",
            )
        elif number in FORBIDDEN:
            what, fix = "this user may not write (or not read)", f"`ls -ld {path}` shows who may: change that"
        else:
            continue
        return MissingError(
            f"{what} '{path}'", where=str(workspace), fix=f"{fix}; then run again: what is done is kept"
        )
    return None


def _there(path: str) -> str:
    """Return a path, or the nearest folder above it that exists: a temporary file means nothing to a user."""
    found = Path(path)
    while not os.access(found, os.F_OK) and found != found.parent:
        found = found.parent
    return str(found)


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while fault is not None and id(fault) not in seen:
        seen.add(id(fault))
        yield fault
        fault = fault.__cause__ or fault.__context__
