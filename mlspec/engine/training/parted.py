"""Weights of which each process holds a part: made whole, and parted again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor, distribute_tensor


def whole(value: Any, keep: bool = True) -> Any:
    """Return nested mappings and lists with every parted tensor whole, on the CPU; all processes must ask.

    Args:
        value: Tensors, whole ones and parted ones, in mappings, lists and tuples; other values stay.
        keep: Whether this process needs them: where not, a parted tensor is None in the answer, and no two
            are held at once.
    """
    if isinstance(value, DTensor):
        made: torch.Tensor = value.full_tensor().detach()
        return made.cpu() if keep else None
    if isinstance(value, Mapping):
        return {name: whole(item, keep) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(whole(item, keep) for item in value)
    return value


def parted(full: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return this process's part of a tensor, parted as another of its shape is; whole where that is whole.

    Args:
        full: The same in every process.
        like: A weight.
    """
    if not isinstance(like, DTensor) or full.shape != like.shape:
        return full
    here = full.to(like.device)
    return distribute_tensor(here, like.device_mesh, like.placements, src_data_rank=None)


def parted_state(state: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return an optimiser's state with its tensors parted as the weights that they belong to.

    What moves them stays as it is now: there is not one kernel for whole weights and for parted ones.

    Args:
        state: What `state_dict` gave, whole.
        optimizer: Over the weights as they are now.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    kept = {
        place: {
            name: parted(item, weights[place]) if isinstance(item, torch.Tensor) else item
            for name, item in entry.items()
        }
        for place, entry in state["state"].items()
    }
    groups = [
        {**then, **{name: now[name] for name in ("fused", "foreach") if name in now}}
        for then, now in zip(state["param_groups"], optimizer.param_groups, strict=True)
    ]
    return {**state, "state": kept, "param_groups": groups}


def unfused(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimiser move weights with plain operations where they are parted.

    torch has no fused SGD for these, and no kernel that takes whole weights and parted ones at once.
    """
    for group in optimizer.param_groups:
        kinds = {isinstance(weight, DTensor) for weight in group["params"]}
        if True in kinds:
            group["fused"] = None
        if len(kinds) > 1:
            group["foreach"] = False


@contextmanager
def gathered(module: torch.nn.Module) -> Iterator[None]:
    """Let every process see a module's weights whole, and take in what it changed; all must do the same.

    Args:
        module: With parted weights, or with none: then nothing happens.
    """
    kept: list[tuple[torch.nn.Module, str, DTensor, torch.nn.Parameter]] = []
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.reshard()
    for part in module.modules():
        for name, weight in part._parameters.items():
            if isinstance(weight, DTensor):
                full = torch.nn.Parameter(weight.full_tensor().detach(), weight.requires_grad)
                kept.append((part, name, weight, full))
                part._parameters[name] = full
    try:
        yield
    finally:
        for part, name, own, full in kept:
            with torch.no_grad():
                own.copy_(parted(full.detach(), own))
            part._parameters[name] = own  # type: ignore[assignment]
