"""What torch-xla needs of Lightning, and of the rows; torch-xla is in an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pytorch_lightning.accelerators import XLAAccelerator


class Device(XLAAccelerator):
    """Whatever PJRT_DEVICE names; Lightning's own looks for TPUs alone."""

    @staticmethod
    def is_available() -> bool:  # type: ignore[override]
        """Return whether there is one; that was looked at before."""
        return True

    @staticmethod
    def auto_device_count() -> int:  # type: ignore[override]
        """Return how many there are for Lightning."""
        return 1

    @staticmethod
    def parse_devices(devices: Any) -> int:
        """Return how many there are for Lightning."""
        return 1

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        """Return the one that Lightning sees."""
        return [torch.device("xla", 0)]


def one_program() -> Any:
    """Return Lightning's strategy for one device: the first, or one that stands for all."""
    import torch_xla
    from pytorch_lightning.strategies import SingleDeviceXLAStrategy  # type: ignore[attr-defined]

    return SingleDeviceXLAStrategy(torch_xla.device().index, accelerator=Device())


def as_one() -> None:
    """Let one device stand for all of them, from now on in this process."""
    # The compiler's own plans for its next version are no news for a user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from torch_xla import runtime

    if not runtime.is_spmd():
        runtime.use_spmd()


def shared_out(module: torch.nn.Module) -> Callable[..., torch.Tensor]:
    """Return a module that takes rows of which each device has a part.

    Rows that devices do not divide, as the last batch may have, are scored by each of them: XLA's look-up of
    embeddings does not survive parts that are padded.
    """
    from torch_xla import runtime
    from torch_xla.distributed import spmd

    devices = runtime.global_runtime_device_count()
    mesh = spmd.Mesh(np.arange(devices), (devices,), ("rows",))

    def part(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.numel() or len(tensor) % devices:
            return tensor
        # Not in place: a batch is a view of rows that lie ready.
        parted: torch.Tensor = spmd.mark_sharding_with_gradients(tensor, mesh, ("rows", None))
        return parted

    def score(numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = module(part(numbers), part(codes))
        return scores

    return score
