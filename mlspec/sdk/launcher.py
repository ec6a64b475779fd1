"""How training processes are started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mlspec.sdk.context import Context
from mlspec.sdk.plugin import Plugin


@dataclass(frozen=True)
class Shape:
    """On what a training is spread, as far as it is known before anything has run."""

    pipeline: str
    """The folder under `pipelines/`."""
    step: str
    """The step's full name."""
    nodes: int
    """Machines."""
    devices: int
    """Devices a machine, a process each."""
    cuda: bool
    """Whether the devices are CUDA's."""


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

    @property
    def shape(self) -> Shape:
        """Return on what it is spread."""
        hardware = self.parameters["hardware"]
        return Shape(
            self.context.name,
            self.context.step,
            hardware["nodes"],
            hardware["devices"],
            hardware["accelerator"] == "cuda",
        )


@dataclass(frozen=True)
class Problem:
    """What hinders a launcher."""

    what: str
    """One sentence."""
    fix: str
    """What mends it."""
    key: str | None = None
    """The option of the launcher at which it is told; at `hardware.accelerator` where None."""


class Launcher(Plugin):
    """A way to start the processes of a training.

    How training is started changes no result, so nothing of it is a step's parameter.
    """

    slot: ClassVar[str] = "launcher"
    max_processes: ClassVar[int | None] = None
    """Most processes it can start, or None."""
    max_nodes: ClassVar[int | None] = None
    """Most machines on which it can start them, or None."""
    elsewhere: ClassVar[bool] = False
    """Whether it starts a training of one process as well, because that process works on another machine."""

    def problems(self, accelerator: str) -> Iterator[Problem]:
        """Give what hinders a start on an accelerator; asked when the spec is read, wherever that is."""
        yield from ()

    def start(self, work: Work) -> None:
        """Start the processes of a training and return when it is done; asked for a single process only where
        it starts them `elsewhere`.

        Raises:
            MlspecError: a process failed; the others are gone by then.
            KeyboardInterrupt: the training was asked to end; its state is saved.
        """
        raise NotImplementedError(f"the launcher '{self.kind}' starts no processes")

    def scripts(self, shape: Shape, run: str) -> Mapping[str, str]:
        """Return the files that `mlspec compile` writes, by name: what starts, and where; nothing is started.

        Args:
            shape: On what training is spread.
            run: The command that does the whole plan, `mlspec run` and its words.
        """
        raise NotImplementedError(f"the launcher '{self.kind}' writes no scripts")
