"""A job of a Slurm cluster, submitted and followed."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mlspec.engine.files import write_bytes
from mlspec.engine.training.joined import joined
from mlspec.errors import MissingError, StepError
from mlspec.sdk.launcher import Work

PACE = 2.0
"""Seconds between two questions to Slurm."""
PATIENCE = 60.0
"""Seconds in which Slurm's own commands answer."""
ALIVE = ("PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "")
"""States of a job that has not ended; Slurm may say none for a moment."""
ENDING = 30.0
"""Seconds in which a cancelled job leaves."""


@dataclass
class Job:
    """A submitted job."""

    number: int
    log: Path
    say: Callable[[str], None]
    state: str = ""
    """Slurm's word for how it is, such as PENDING or OUT_OF_MEMORY."""
    status: int | None = None
    _next: float = field(default=0.0)

    @property
    def name(self) -> str:
        """Return what a user knows it by."""
        return f"Slurm's job {self.number}" + (f" ({self.state})" if self.status else "")

    def poll(self) -> int | None:
        """Return its exit status; None while it waits or works."""
        now = time.monotonic()
        if self.status is None and now >= self._next:
            self._next = now + PACE
            self._ask()
        return self.status

    def gone(self) -> frozenset[int]:
        """Return none: it does not tell which of them ended."""
        return frozenset()

    def end(self) -> None:
        """Cancel it, and wait until it has left."""
        until = time.monotonic() + ENDING
        if self.status is None:
            _run("scancel", "--quiet", str(self.number))
        while self.status is None and time.monotonic() < until:
            self._next = 0.0
            self.poll()
            time.sleep(0.2)

    def _ask(self) -> None:
        # Of a job that has ended, scontrol knows for some minutes; accounting is not everywhere.
        told = _run("scontrol", "--oneliner", "show", "job", str(self.number))
        if told.returncode:
            if "Invalid job id" in told.stderr:
                self.status = 1
            return  # Slurm itself is away for a moment
        found: dict[str, str] = dict(re.findall(r"(\w+)=(\S*)", told.stdout))
        state = found.get("JobState", "")
        if state != self.state:
            reason = found.get("Reason", "None")
            why = f", {reason}" if reason != "None" else ""
            nodes = f" on {found['NodeList']}" if state == "RUNNING" else ""
            self.say(f"Slurm's job {self.number}: {state}{nodes}{why}")
        self.state = state
        if state not in ALIVE:
            code = found.get("ExitCode", "1:0").partition(":")[0]
            self.status = 0 if state == "COMPLETED" else int(code) or 1


def slurm(work: Work, script: str) -> None:
    """Submit a job and follow it to its end.

    Args:
        work: What its processes do.
        script: What is submitted; a copy lies among the step's logs.

    Raises:
        MissingError: Slurm is not here.
        StepError: Slurm did not take the job.
    """
    if shutil.which("sbatch") is None:
        raise MissingError(
            "the launcher 'slurm' submits with `sbatch`, which is not here",
            where="hardware.launcher",
            fix="run on a login node of the cluster, or set hardware.launcher: local",
        )

    def start(folder: Path) -> Job:
        logs = folder if work.context.logs is None else work.context.logs
        write_bytes(logs / "train.sbatch", script.encode())
        (logs / "slurm.txt").unlink(missing_ok=True)
        told = _run("sbatch", "--parsable", str(logs / "train.sbatch"), cwd=work.context.workspace)
        number = re.match(r"(\d+)(;|$)", told.stdout.strip())
        if told.returncode or number is None:
            lines = " / ".join((told.stderr or told.stdout).strip().splitlines()[-3:])
            raise StepError(
                f"Slurm did not take the job: {lines}",
                where="hardware.launcher",
                fix="see the options of the launcher",
            )
        return Job(int(number[1]), logs / "slurm.txt", work.context.say)

    joined(work, start)


def _run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"`{words[0]}` does not answer")
