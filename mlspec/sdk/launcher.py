"""How training processes are started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mlspec.sdk.context import Context
from mlspec.sdk.plugin import Plugin


@dataclass(frozen=True)
class Work:
    """A training that several processes do together."""

    parameters: Mapping[str, Any]
    """Of the step `train`."""
    inputs: Mapping[str, Path]
    """Folders that it reads."""
    output: Path
    """An empty folder; rank 0 writes into it."""
    context: Context
    """Where the step works."""
    processes: int
    """How many processes, one a device."""


class Launcher(Plugin):
    """A way to start the processes of a training."""

    slot: ClassVar[str] = "launcher"
    max_processes: ClassVar[int | None] = None
    """Most processes it can start, or None."""
    max_nodes: ClassVar[int | None] = None
    """Most machines on which it can start them, or None."""

    def start(self, work: Work) -> None:
        """Start the processes of a training and return when it is done; never asked for a single process.

        Raises:
            MlspecError: a process failed; the others are gone by then.
            KeyboardInterrupt: the training was asked to end; its state is saved.
        """
        raise NotImplementedError(f"the launcher '{self.kind}' starts no processes")
