"""The state of a training in one file: safetensors, with all that is no tensor as JSON in its header."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlspec.engine.files import write_bytes
from mlspec.errors import StepError

FORMAT = 2
BLANK = "0" * 64
"""Stands where the file's own SHA-256 goes while that is computed."""


def save_checkpoint(path: Path, key: str, state: dict[str, Any]) -> None:
    """Write a training's state, whole or not at all, and keep the one before beside it.

    Args:
        path: The file.
        key: What the training is of; only the same training may read it.
        state: Nested mappings, lists and tuples of tensors and plain values.

    Raises:
        StepError: the state holds something else (an optimizer of the user's own that keeps objects).
    """
    from safetensors.torch import save

    tensors: dict[str, torch.Tensor] = {}
    tree = _pack(state, tensors, set())
    # The sum comes first in the header, which comes first in the file: nothing before it looks like it.
    header = json.dumps({"sha256": BLANK, "format": FORMAT, "key": key, "tree": tree})
    content = save(tensors, {"mlspec": header})
    place = content.index(BLANK.encode())
    digest = hashlib.sha256(content).hexdigest().encode()
    # In three parts: another copy of a large state may not fit.
    parts = (content[:place], digest, memoryview(content)[place + len(digest) :])
    if path.exists():
        path.replace(before(path))
    write_bytes(path, *parts)


def load_checkpoint(path: Path, key: str) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return a training's last whole state, and lines that say what could not be used.

    A file whose bytes are not those that were written is passed over for the one before it; a file of
    another training is never used.

    Args:
        path: The file; the one before lies beside it.
        key: What the training is of.
    """
    notes = []
    for file in (path, before(path)):
        if not file.is_file():
            continue
        try:
            header, tensors = _read(file)
        except (OSError, ValueError, KeyError, TypeError):
            notes.append(f"the checkpoint {file.name} is damaged: it is not used")
            continue
        if header["key"] != key:
            notes.append("a checkpoint of other parameters or other data lies here: it is not used")
            continue
        state: dict[str, Any] = _unpack(header["tree"], tensors)
        return state, tuple(dict.fromkeys(notes))
    return None, (*dict.fromkeys(notes), "the training starts anew") if notes else ()


def before(path: Path) -> Path:
    """Return where the checkpoint before the last one lies."""
    return path.with_suffix(f".before{path.suffix}")


def _read(file: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return the header and the tensors of a file whose bytes are as they were written.

    Raises:
        ValueError: they are not.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = file.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["mlspec"])
    found = str(header["sha256"]).encode()
    place = content.index(found)
    digest = hashlib.sha256(content[:place])
    digest.update(BLANK.encode())
    digest.update(memoryview(content)[place + len(found) :])
    if header["format"] != FORMAT or digest.hexdigest() != header["sha256"]:
        raise ValueError("its bytes are not those that were written")
    try:
        return header, load(content)
    except SafetensorError as fault:
        raise ValueError(str(fault)) from fault


def _pack(value: Any, tensors: dict[str, torch.Tensor], seen: set[int]) -> Any:
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        plain = value.detach().to("cpu").contiguous()
        # safetensors takes no tensors that share memory; any other is written from where it lies.
        storage = plain.untyped_storage().data_ptr()
        tensors[name] = plain.clone() if storage in seen else plain
        seen.add(storage)
        return {"tensor": name}
    if isinstance(value, dict):
        return {
            "map": [[_pack(name, tensors, seen), _pack(item, tensors, seen)] for name, item in value.items()]
        }
    if isinstance(value, list | tuple):
        return {
            "list" if isinstance(value, list) else "tuple": [_pack(item, tensors, seen) for item in value]
        }
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
