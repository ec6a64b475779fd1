"""How one model is trained on several devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import torch

Accelerator = Literal["cpu", "cuda", "tpu"]
"""What a training runs on."""
Precision = Literal["fp32", "bf16", "fp16"]
"""Number format that batches are scored in."""


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
    shares_rows: ClassVar[bool] = True
    """Whether each process has a part of a batch; where not, each has all rows and the whole loss."""

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
