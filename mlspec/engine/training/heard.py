"""What a process of a training told of itself, and what follows from what all of them told."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec import errors
from mlspec.errors import MlspecError, StepError, Terminated
from mlspec.sdk.context import Context
from mlspec.sdk.launcher import Work

SHOWN = 3
"""Last lines of what a process printed that are told when it ended without a word."""


@dataclass
class Heard:
    """One process and what it told."""

    rank: int
    log: Path
    """Where what it prints lies."""
    rest: bytes = b""
    here: bool = False
    """Whether it told anything."""
    fault: dict[str, Any] | None = None
    stopped: str | None = None
    """Name of the exception with which it was asked to end."""
    ended: bool = False
    """Whether it ended because the training was over for another's fault."""
    done: bool = False
    known: str = ""
    """What is known of its end besides what it told."""
    status: int | None = None
    """Its exit status, where it is a process of this machine that has ended."""

    def hear(self, content: bytes, context: Context) -> None:
        """Take in what it told; progress and news are passed on.

        Args:
            content: Lines of JSON; the last may be half told.
            context: Told of progress and news.
        """
        *lines, self.rest = (self.rest + content).split(b"\n")
        for line in lines:
            self.here = True
            for word, value in json.loads(line).items():
                if word == "progress":
                    context.progress(*value)
                elif word == "say":
                    context.say(value)
                elif word in ("fault", "stopped", "done", "ended"):
                    setattr(self, word, value)

    @property
    def over(self) -> bool:
        """Return whether it told its last word."""
        return self.done or self.ended or self.fault is not None or self.stopped is not None


def judge(ended: Sequence[Heard], work: Work) -> None:
    """Raise what went wrong: a process that went without a word before those that missed it, else the first
    fault.

    Args:
        ended: The processes that have ended.
        work: What they did.
    """
    failed = [one for one in ended if not one.done]
    for silent in (one for one in failed if not one.over):
        raise _silent(silent, work)
    faults = [one for one in failed if one.fault is not None]
    if faults:
        raise _fault(min(faults, key=lambda one: float((one.fault or {})["at"])), work)
    for one in failed:
        raise Terminated if one.stopped == "Terminated" else KeyboardInterrupt
    if sum(one.done for one in ended) < work.processes:
        raise StepError("a process of the training did not end", where=work.context.step)


def _fault(found: Heard, work: Work) -> MlspecError:
    fault = found.fault or {}
    sort = getattr(errors, str(fault["sort"]), StepError)
    if not (isinstance(sort, type) and issubclass(sort, MlspecError)) or sort is errors.SpecError:
        sort = StepError
    what = str(fault["what"])
    if work.processes > 1:
        what += f" (process {found.rank} of {work.processes}, counted from 0)"
    return sort(what, where=fault["where"] or work.context.step, fix=fault["fix"] or _look(found, work))


def _silent(found: Heard, work: Work) -> StepError:
    status = found.status or 0
    if status < 0:
        how = f"was ended by the signal {signal.Signals(-status).name}"
        how += ", as the system does when memory is short" if status == -signal.SIGKILL else ""
    else:
        how = "ended without a word" if found.status is None else f"ended with status {status}"
        how += f" ({found.known})" if found.known else ""
        lines = last_lines(found.log)
        how += f": {' / '.join(lines)}" if lines else ""
    what = f"process {found.rank} of {work.processes} of the training (counted from 0) {how}"
    return StepError(what, where=work.context.step, fix=_look(found, work))


def last_lines(file: Path) -> list[str]:
    """Return the last lines of a file; none where there is no file."""
    if not file.is_file():
        return []
    return file.read_text("utf-8", errors="replace").strip().splitlines()[-SHOWN:]


def _look(found: Heard, work: Work) -> str | None:
    if work.context.logs is None or not found.log.is_relative_to(work.context.workspace):
        return None
    return f"what it printed lies in {found.log.relative_to(work.context.workspace).as_posix()}"
