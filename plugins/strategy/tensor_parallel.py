"""A part of each large layer on each device, and every row on all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from mlspec.errors import StepError
from mlspec.sdk.strategy import Strategy

if TYPE_CHECKING:
    import torch


class TensorParallel(Strategy):
    """Layers cut over the devices, two by two: the first by its outputs, the second by its inputs.

    Each device has every row of a batch and a part of each cut layer, so batches stay whole. It pays where a
    layer is large for one device and devices are near each other: they talk in each pair of layers. The
    model must say which layers may be cut: of mlspec's own `mlp` does.

    Source: Shoeybi et al., "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model
    Parallelism", 2019, section 3.
    """

    sharded: ClassVar[bool] = True
    shares_rows: ClassVar[bool] = False

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return the module with its layers cut over all devices."""
        from torch.distributed import get_world_size
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.tensor.parallel import (
            ColwiseParallel,
            ParallelStyle,
            RowwiseParallel,
            parallelize_module,
        )

        styles: dict[str, ParallelStyle] = {}
        for name, part in module.named_modules():
            cut = getattr(part, "cut", None)
            for inner, way in ({} if cut is None else cut()).items():
                full = f"{name}.{inner}" if name else inner
                styles[full] = ColwiseParallel() if way == "outputs" else RowwiseParallel()
        if not styles:
            raise StepError(
                f"'{type(module).__name__}' does not say which of its layers may be cut",
                where="hardware.strategy",
                fix="use hardware.strategy: fsdp, or give the module a `cut` (docs/how_to/add_a_model.md)",
            )
        mesh = init_device_mesh(device.type, (get_world_size(),))
        parallelize_module(module, mesh, styles)
        return module.__call__
