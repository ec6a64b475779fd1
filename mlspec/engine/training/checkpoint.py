"""The state of a training in one file: safetensors, with all that is no tensor as JSON in its header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlspec.engine.files import write_bytes
from mlspec.errors import StepError

FORMAT = 1


def save_checkpoint(path: Path, key: str, state: dict[str, Any]) -> None:
    """Write a training's state, whole or not at all.

    Args:
        path: The file.
        key: What the training is of; only the same training may read it.
        state: Nested mappings, lists and tuples of tensors and plain values.

    Raises:
        StepError: the state holds something else (an optimizer of the user's own that keeps objects).
    """
    from safetensors.torch import save

    tensors: dict[str, torch.Tensor] = {}
    tree = _pack(state, tensors)
    header = json.dumps({"format": FORMAT, "key": key, "tree": tree})
    write_bytes(path, save(tensors, {"mlspec": header}))


def load_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    """Return a training's state, or None where there is none of this key that can be read."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("mlspec", "{}"))
            if header.get("format") != FORMAT or header.get("key") != key:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            state: dict[str, Any] = _unpack(header["tree"], tensors)
    except (SafetensorError, OSError, ValueError, KeyError):
        return None
    return state


def _pack(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu").clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, dict):
        return {"map": [[_pack(name, tensors), _pack(item, tensors)] for name, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_pack(item, tensors) for item in value]}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise StepError(
        f"a checkpoint cannot hold a '{type(value).__name__}'",
        where="training",
        fix="the state of an optimizer or schedule may be made of tensors, numbers and texts",
    )


def _unpack(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    form, inner = next(iter(value.items()))
    if form == "tensor":
        return tensors[inner]
    if form == "map":
        return {_unpack(name, tensors): _unpack(item, tensors) for name, item in inner}
    items = [_unpack(item, tensors) for item in inner]
    return items if form == "list" else tuple(items)
