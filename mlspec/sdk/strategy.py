"""How one model is trained on several devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import torch

Accelerator = Literal["cpu", "cuda", "tpu"]
"""What a training runs on."""
Precision = Literal["fp32", "bf16", "fp16"]
"""Number format that batches are scored in."""


@dataclass(frozen=True)
class Driven:
    """What is told to what moves the weights."""

    optimizer: Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]
    """Makes the optimiser over weights."""
    batch_size: int
    """Rows of an optimiser step, over all devices."""
    precision: Precision
    clip_norm: float | None


class Engine(Protocol):
    """What has a module's weights, their gradients and the optimiser in its hands: torch, or a library."""

    score: Callable[..., torch.Tensor]
    optimizer: torch.optim.Optimizer
    """Has the learning rate."""

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of a part of a batch.

        Args:
            loss: Of this process's rows.
            last: Whether the weights are moved next.
        """

    def step(self) -> bool:
        """Shorten the gradients where that is asked for, move the weights, and return whether they moved."""

    def skipped(self) -> int:
        """Return the steps that were left out since this was last asked, because a gradient overflowed."""

    def gathered(self) -> AbstractContextManager[None]:
        """Let every process see the module's weights whole, and keep what all of them change alike."""

    def weights(self, keep: bool) -> dict[str, Any]:
        """Return the module's state, whole and on the CPU; all processes must ask.

        Args:
            keep: Whether this process needs them; None is in the place of each where not.
        """

    def gradients(self, keep: bool) -> dict[str, Any]:
        """Return the gradients of the last batch by the names of their weights, as `weights`; none where they
        are gone; all processes must ask.
        """

    def copied(self) -> dict[str, torch.Tensor]:
        """Return what this process needs to put the module's state back; all processes must ask."""

    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put back what `copied` gave, or a whole state."""

    def state(self, keep: bool) -> dict[str, Any]:
        """Return `optimizer`, its state as torch's own has it, of whole weights, and `scale`, what losses are
        multiplied by in fp16, or None; all processes must ask.
        """

    def resume(self, found: Mapping[str, Any]) -> None:
        """Go on from what `state` gave, of whatever engine, in however many processes."""


class Strategy(Plugin):
    """A way to spread training over devices.

    Each device has a process, where nothing else is said. A step's batch is shared out over the processes;
    the loss of each is the sum over its rows, divided by the rows of the whole batch and multiplied by the
    number of processes.
    """

    slot: ClassVar[str] = "strategy"
    max_devices: ClassVar[int | None] = None
    """Most devices it can use, or None."""
    max_nodes: ClassVar[int | None] = None
    """Most machines it can use, or None."""
    accelerators: ClassVar[tuple[Accelerator, ...]] = ("cpu", "cuda")
    """What it runs on."""
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "bf16", "fp16")
    """Number formats it can score in."""
    one_process: ClassVar[bool] = False
    """Whether one process has all devices of its machine, and every row."""
    sharded: ClassVar[bool] = False
    """Whether each process holds a part of the weights only, as torch's DTensor."""

    def alike(self, devices: int) -> int:
        """Return how many processes have the same rows of a batch; 1 where each has other rows.

        Processes that follow each other have the same rows and the same loss. Those whose numbers are that
        far apart share a batch out.

        Args:
            devices: Of all machines, a process each.
        """
        return 1

    @property
    def keeps(self) -> bool:
        """Return whether weights that were gathered in the forward pass stay whole for the backward pass."""
        return False

    def units(self, module: torch.nn.Module) -> Iterator[torch.nn.Module]:
        """Give the parts of a module whose weights are gathered by themselves, inner ones first.

        Args:
            module: Before it is spread.
        """
        yield from ()

    def begin(self, devices: int) -> None:
        """Make ready what must be so before a device is touched; called once in each process.

        Args:
            devices: Of this process.
        """

    @property
    def parted(self) -> frozenset[str]:
        """Return what each process has a part of only: of `parameters`, `gradients`, `optimizer`."""
        return frozenset(("parameters", "gradients", "optimizer") if self.sharded else ())

    @property
    def elsewhere(self) -> frozenset[str]:
        """Return what lies in the memory of the machine and not of the device, by the same names."""
        return frozenset()

    def buffers(self, weights: int, devices: int) -> int:
        """Return the bytes that it takes on each device beside weights, gradients and the optimiser's state.

        Args:
            weights: How many numbers the model learns.
            devices: Of all machines.
        """
        return 0

    def configuration(self, driven: Driven, devices: int, weights: int | None) -> dict[str, Any] | None:
        """Return the configuration that is made for a library, as `mlspec plan` shows it, or None.

        Args:
            driven: What the library must know.
            devices: Of all machines.
            weights: How many numbers the model learns; None where that is not known yet.
        """
        return None

    def drive(self, module: torch.nn.Module, device: torch.device, driven: Driven) -> Engine | None:
        """Return a library that takes the place of `spread` and of torch's optimiser where there are several
        devices; None: none does.

        Args:
            module: On its device, with the same weights in every process.
            device: This process's own.
            driven: What it must know.
        """
        return None

    def lightning(self) -> Any:
        """Return what `pytorch_lightning.Trainer(strategy=...)` takes in a process of one device."""
        return "auto"

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return the module as training steps call it where there are several devices.

        After `backward` the gradients of the module's own parameters must be the mean over all processes,
        the same in each; where it is `sharded`, each process has its part of them. The optimiser is built
        over the module's parameters afterwards.

        Args:
            module: On its device, with the same weights in every process.
            device: This process's own.
        """
        raise NotImplementedError(f"the strategy '{self.kind}' is for one process")
