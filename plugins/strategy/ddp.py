"""The whole model on each device, and a part of each batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlspec.sdk.strategy import Strategy

if TYPE_CHECKING:
    import torch


class Ddp(Strategy):
    """The whole model on each device, and a part of each batch; gradients are averaged over devices.

    `training.batch_size` stays the rows of one optimiser step over all devices, so the result is that of
    one device, but for rounding and for the rows that dropout hides.

    Source: Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020.
    """

    unused_parameters: bool = False
    """Whether a step may leave parameters of the model without a gradient; looking for them costs time."""

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return the module with gradients that are averaged while they are made."""
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(
            module,
            device_ids=[device.index] if device.type == "cuda" else None,
            find_unused_parameters=self.unused_parameters,
            gradient_as_bucket_view=True,
        ).__call__
