"""A part of the model on each device, and a part of each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from mlspec.sdk.strategy import Strategy

if TYPE_CHECKING:
    import torch


class Fsdp(Strategy):
    """A part of each weight, of its gradient and of the optimiser's state on each device, and of each batch.

    A weight is gathered where the model needs it, and let go of again: the model may be larger than a device.
    `training.batch_size` stays the rows of one optimiser step over all devices.

    Source: Zhao et al., "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel", VLDB 2023, by
    torch's `fully_shard` (FSDP2).
    """

    sharded: ClassVar[bool] = True

    unit: int = Field(default=1_000_000, ge=1)
    """Number of parameters from which on a part of the model is gathered by itself; smaller parts are
    gathered together.
    """
    keep: bool = False
    """Whether gathered weights are kept between the forward and the backward pass: more memory (that of
    ZeRO 2), less traffic.
    """

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that gathers small parts, and one that keeps them."""
        return (cls.revive({"unit": 1}), cls.revive({"keep": True}))

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return the module, each weight of which is parted over all devices."""
        from torch.distributed import get_world_size
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(device.type, (get_world_size(),))
        for part in (*self.units(module), module):
            fully_shard(part, mesh=mesh, reshard_after_forward=not self.keep)
        return module.__call__

    @property
    def keeps(self) -> bool:
        """Return whether all weights are whole in the backward pass."""
        return self.keep

    def units(self, module: torch.nn.Module) -> Iterator[torch.nn.Module]:
        """Give the parts that are gathered by themselves, inner ones first."""
        from torch.nn import ModuleDict, ModuleList

        for part in module.children():
            yield from self.units(part)
            # A list of parts is never called itself.
            own = sum(weight.numel() for weight in part.parameters())
            if own >= self.unit and not isinstance(part, ModuleList | ModuleDict):
                yield part
