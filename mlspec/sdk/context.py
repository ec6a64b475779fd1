"""What a step or a source may know of the world around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlspec.sdk.trial import Trial


def _nobody() -> KeyboardInterrupt | None:
    return None


def _nothing() -> Path | None:
    return None


def silent(done: float, total: float | None, unit: str) -> None:
    """Tell nobody how far a step is."""


@dataclass(frozen=True)
class Context:
    """Where a step works. Paths are absolute; none of them may enter an output."""

    workspace: Path
    """The folder with `.dvc`; relative paths in a step's parameters start here."""
    name: str = "here"
    """The spec's name (for steps of shared data: `data-<data.name>`)."""
    step: str = "step"
    """The step's full name, such as `export-main`."""
    scratch: Path = field(default_factory=lambda: Path("/tmp"))
    """A folder for checkpoints and spills, kept between runs of this step with the same inputs."""
    parts: Path | None = None
    """A folder in which what was made of single files of the data is kept for the next run
    (`engine/parts.py`); None where nothing is.
    """
    before: Callable[[], Path | None] = _nothing
    """Gives the folder that the step wrote last, where it lies there as dvc.lock has it, or None."""
    checkpoint_every: float = 300.0
    """Seconds between checkpoints inside an epoch (`training.checkpoint.every`, which changes no result)."""
    profile: bool = False
    """Whether a training tells where its time went (`training.profile`, which changes no result)."""
    launcher: Mapping[str, Any] = field(default_factory=lambda: {"kind": "local"})
    """How the processes of a training are started (`hardware.launcher`, which changes no result)."""
    memory: int | None = None
    """Bytes that the processes of a run may hold together (`data.memory`, which changes no result); None
    where nothing is said.
    """
    locks: Mapping[str, str] = field(default_factory=dict)
    """What dvc.lock says of each folder that the step reads, by the name of the step that wrote it: a hash of
    its content.
    """
    logs: Path | None = None
    """Where clocks, hosts and events may be written; no output, nobody's dependency."""
    trial: Trial | None = None
    """Set where a training is one of a sweep: it is ranked, and leaves nothing."""
    progress: Callable[[float, float | None, str], None] = silent
    """Told `(done, total or None, unit)` now and then; draws on a terminal, else nothing."""
    say: Callable[[str], None] = print
    """Told a line that the user should read (never on stdout)."""
    asked: Callable[[], KeyboardInterrupt | None] = _nobody
    """Gives what has asked the work to end where no signal can, or None."""

    def resolve(self, path: str) -> str:
        """Return a path or URL of the parameters as one that can be opened from here."""
        return path if "://" in path else str(self.workspace / path)
