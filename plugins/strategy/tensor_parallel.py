"""A part of each large layer on each device, and the same rows on all that have parts of one layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from mlspec.errors import StepError
from mlspec.sdk.strategy import Strategy

if TYPE_CHECKING:
    import torch


class TensorParallel(Strategy):
    """Layers cut over the devices, two by two: the first by its outputs, the second by its inputs.

    Devices that have parts of one layer have the same rows. It pays where a layer is large for one device and
    devices are near each other: they talk in each pair of layers. With more devices than `tensor` there are
    several such sets of devices, each with the whole model and a part of each batch, as with `ddp`. The model
    must say which layers may be cut: `mlp`, `ft_transformer` and `resnet` do.

    Source: Shoeybi et al., "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model
    Parallelism", 2019, section 3.
    """

    sharded: ClassVar[bool] = True

    tensor: int | None = Field(default=None, ge=2)
    """Number of devices that each layer is cut over; all of them where absent. Devices that follow each other
    have parts of one layer; so it divides the devices of a machine where layers shall not be cut over
    machines.
    """

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one over all devices, and one over two of them."""
        return (cls.revive({}), cls.revive({"tensor": 2}))

    def alike(self, devices: int) -> int:
        """Return how many devices have parts of one layer."""
        return 1 if devices == 1 else self.tensor or devices

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return the module with its layers cut, and gradients that are averaged over sets of devices."""
        from torch.distributed import get_world_size

        from ._cut import cut

        devices = get_world_size()
        tensor = self.alike(devices)
        if not cut(module, device, devices // tensor, tensor):
            raise StepError(
                f"'{type(module).__name__}' does not say which of its layers may be cut",
                where="hardware.strategy",
                fix="use hardware.strategy: fsdp, or give the module a `cut` (docs/how_to/add_a_model.md)",
            )
        return module.__call__
