"""What a run leaves behind about itself: `pipelines/<name>/run.json`, and its history in the logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from mlspec.errors import MissingError, UsageError

Done = Literal["reused", "restored", "ran", "failed", "interrupted"]
"""`restored`: the same work was done before, and DVC brought its folder back."""


class _Part(BaseModel):
    # A record of a newer mlspec may say more.
    model_config = ConfigDict(frozen=True, extra="ignore")


class StepRecord(_Part):
    """What became of one step."""

    step: str
    """Full name, such as `export-main`."""
    pipeline: str
    done: Done
    reasons: tuple[str, ...] = ()
    """Why it ran; or what could not be checked."""
    seconds: float
    """Wall clock, rounded to tenths."""
    output: str
    """Its folder, from the workspace."""
    peak_mib: int | None = None
    """Most resident memory of the whole process and its children while it worked, MiB; None where it did
    nothing.
    """
    rows: Mapping[str, int] = {}
    """Rows by what became of them, as the step's own files count them: `read`, `rejected`, `train`, `val`,
    `test`, `scored`.
    """
    hardware: Mapping[str, Any] | None = None
    """What training ran on: `accelerator` (what `auto` became), `device`, `threads`; None elsewhere, and
    where it was restored.
    """


class GateRecord(_Part):
    """What one gate said."""

    passed: bool
    text: str
    metric: str | None = None
    export: str | None = None


class Intervals(_Part):
    """How sure the measures of one export are."""

    confidence: float
    """Fraction 0-1, such as 0.95."""
    metrics: Mapping[str, tuple[float, float] | None]
    """Low and high of each measure, to six digits; None where it has none."""

    @field_validator("metrics")
    @classmethod
    def _rounded(cls, metrics: Mapping[str, tuple[float, float] | None]) -> Mapping[str, Any]:
        return {
            name: pair and (float(f"{pair[0]:.6g}"), float(f"{pair[1]:.6g}"))
            for name, pair in metrics.items()
        }


class GitRecord(_Part):
    """What git said when the run began."""

    revision: str | None = None
    """The commit; None outside git and before the first commit."""
    changed: tuple[str, ...] = ()
    """Files that decide over the run and are not as that commit has them, sorted."""
    dirty: bool = False
    """Whether there are any."""


class Failure(_Part):
    """What ended a run."""

    error: str
    """Its class."""
    what: str
    step: str | None = None
    """Where it happened; None outside the steps."""
    fix: str | None = None


class Record(_Part):
    """One run of a plan."""

    name: str
    spec: str
    """Path of the spec, from the workspace."""
    overlays: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    began: datetime
    """UTC, to the second."""
    seconds: float
    ended: Literal["done", "failed", "interrupted"]
    """A run that was killed outright leaves no record."""
    failure: Failure | None = None
    steps: tuple[StepRecord, ...]
    """Those that were looked at, in the order of work."""
    metrics: Mapping[str, Mapping[str, Any]] = {}
    """The measures of each export that was evaluated."""
    intervals: Mapping[str, Intervals] = {}
    """How sure they are, by export; empty where that was not computed."""
    gates: tuple[GateRecord, ...] = ()
    git: GitRecord = GitRecord()
    versions: Mapping[str, str] = {}
    """Python, mlspec, and the libraries that were at work."""
    machine: Mapping[str, Any] = {}
    """`system`, `cpus`, `memory_mib`."""
    said: tuple[str, ...] = ()
    """Lines that the user was told."""

    def plain(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return self.model_dump(mode="json")


def latest(workspace: Path, name: str) -> Path:
    """Return where the record of a pipeline's latest run lies."""
    return workspace / "pipelines" / name / "run.json"


def history(workspace: Path, name: str) -> tuple[Path, ...]:
    """Return the records of a pipeline's runs that are still here, oldest first."""
    return tuple(sorted((workspace / "artifacts" / name / "logs").glob("run-*.json")))


def read_record(path: Path) -> Record:
    """Return the record in a file.

    Raises:
        MissingError: there is no such file.
        UsageError: it is no record: torn by a merge, or something else.
    """
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingError(f"there is no record of a run at '{path}'", fix="mlspec run") from error
    except ValidationError as error:
        raise UsageError(
            f"'{path}' is no record of a run",
            fix="take either side of it (`git checkout --ours`), or remove it: the next run writes it anew",
        ) from error
