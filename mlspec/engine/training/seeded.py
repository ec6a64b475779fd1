"""Random generators that start from a seed, and are afterwards as they were."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, numpy's and torch's generators, and put them back in the end."""
    before = random_state()
    try:
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        yield
    finally:
        restore(before)


def seed_xla(seed: int) -> None:
    """Seed the generator of an XLA device, where this process has one: it is none of torch's own."""
    if (device := _xla()) is not None:
        device.set_rng_state(seed)


def random_state() -> dict[str, Any]:
    """Return the state of every generator as plain data and tensors."""
    version, words, gauss = random.getstate()
    state = np.random.get_state(legacy=False)
    inner = state["state"]
    return {
        "python": [version, list(words), gauss],
        "numpy": {**state, "state": {"key": inner["key"].tolist(), "pos": int(inner["pos"])}},
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "xla": None if (device := _xla()) is None else device.get_rng_state(),
    }


def restore(state: dict[str, Any]) -> None:
    """Put every generator into a state that `random_state` returned."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    inner = {**state["numpy"]["state"], "key": np.array(state["numpy"]["state"]["key"], np.uint32)}
    np.random.set_state({**state["numpy"], "state": inner})
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all(state["cuda"])
    if (device := _xla()) is not None and state.get("xla") is not None:
        device.set_rng_state(state["xla"])


def _xla() -> Any:
    """Return torch-xla's module where it is at work in this process."""
    return sys.modules.get("torch_xla.core.xla_model")
