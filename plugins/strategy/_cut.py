"""Layers cut over devices, by torch's DTensor."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Placement, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    RowwiseParallel,
    parallelize_module,
)
from torch.distributed.tensor.placement_types import _StridedShard


class PartsByOutputs(ColwiseParallel):
    """A linear layer whose outputs are some parts beside each other: of each part a device has a piece.

    Args:
        parts: How many, of one width.
    """

    def __init__(self, parts: int) -> None:
        super().__init__()
        self._placement: Placement = _StridedShard(0, split_factor=parts)

    @staticmethod
    def _prepare_output_fn(
        output_layouts: Any, use_local_output: bool, mod: nn.Module, outputs: DTensor, device_mesh: DeviceMesh
    ) -> torch.Tensor:
        # As it is: of each part the piece that this device made.
        return outputs.to_local()

    def _partition_linear_fn(self, name: str, module: nn.Module, device_mesh: DeviceMesh) -> None:
        for key, weight in list(module.named_parameters(recurse=False)):
            part = distribute_tensor(weight, device_mesh, [self._placement], src_data_rank=None)
            module.register_parameter(key, nn.Parameter(part, requires_grad=weight.requires_grad))


def cut(module: nn.Module, device: torch.device, sets: int, tensor: int) -> bool:
    """Cut the layers that a module says may be cut, and return whether there are any.

    Args:
        module: With the same weights in every process.
        device: This process's own.
        sets: Sets of devices, each with the whole module; their gradients are averaged.
        tensor: Devices of a set, each with a part of each layer.
    """
    styles = dict(_styles(module))
    if not styles:
        return False
    mesh = init_device_mesh(device.type, (sets, tensor), mesh_dim_names=("data", "tensor"))
    parallelize_module(module, mesh["tensor"], styles, src_data_rank=None)
    if sets > 1:
        _average(module, mesh["data"].get_group(), sets)
    return True


def _styles(module: nn.Module) -> Any:
    for name, part in module.named_modules():
        own = getattr(part, "cut", None)
        for inner, way in ({} if own is None else own()).items():
            yield f"{name}.{inner}" if name else inner, _style(way)


def _style(way: Any) -> ParallelStyle:
    if way == "inputs":
        return RowwiseParallel()
    return ColwiseParallel() if way == "outputs" else PartsByOutputs(way[1])


def _average(module: nn.Module, group: Any, sets: int) -> None:
    """Average each gradient over sets of devices, as soon as it is made: in all of them in the same order."""

    def average(weight: torch.Tensor) -> None:
        gradient = weight.grad
        own = gradient.to_local() if isinstance(gradient, DTensor) else gradient
        assert own is not None
        distributed.all_reduce(own, group=group)
        own.div_(sets)

    for weight in module.parameters():
        if weight.requires_grad:
            weight.register_post_accumulate_grad_hook(average)  # type: ignore[no-untyped-call]
