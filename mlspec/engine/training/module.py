"""A trained torch module as bytes, and its own answers."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from mlspec.engine.training.chunks import shared
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded

BATCH = 8192


def weights_of(module: torch.nn.Module) -> bytes:
    """Return a module's state as safetensors; the same weights give the same bytes."""
    from safetensors.torch import save

    # Tied weights are written once each: safetensors takes no tensors that share memory.
    state = {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in module.state_dict().items()
    }
    written: bytes = save(state)
    return written


def scores_of(module: torch.nn.Module, rows: Encoded, target: FittedTarget) -> NDArray[np.float32]:
    """Return raw scores `[rows, width] float32` of a module in evaluation mode."""
    scores = np.empty((rows.rows, target.width), np.float32)
    with torch.inference_mode():
        for start in range(0, rows.rows, BATCH):
            here = slice(start, start + BATCH)
            scores[here] = module(shared(rows.numbers[here]), shared(rows.codes[here]).long()).numpy()
    return scores
