"""Values that a spec leaves open for a training, `auto`: found once, and read from a committed file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.spec.left_open import left_open, with_values

DECIDES = (
    "batch_size", "optimizer", "loss", "class_weights", "sampling", "accumulate", "clip_norm",
    "activation_checkpointing",
)  # fmt: skip
"""Keys of `training` on which what is found depends."""


def settled(parameters: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
    """Return a training's parameters with every value, and as `found` those that were open, by dotted key.

    Raises:
        StepError: a value is open, and the file does not tell it.
    """
    if not left_open(parameters["training"]):
        return parameters
    name = parameters.get("found", "found.yaml")
    try:
        values = read(context.workspace / name)["training"]
        found = {".".join(path): values[".".join(path)] for path in left_open(parameters["training"])}
        # In the place of the file's name: several processes are given what this one read.
        return with_values(parameters, values) | {"found": found}
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise StepError(
            f"'{name}' does not tell what training leaves open", where="training", fix="mlspec run"
        ) from fault


def read(path: Path) -> dict[str, Any]:
    """Return what was found: `of`, what it was found for, and `training`, values by dotted key.

    Raises:
        OSError, ValueError: there is no such file, or it holds something else.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as fault:
        raise ValueError(str(fault)) from fault
    if not isinstance(content, dict) or not isinstance(content.get("training"), dict):
        raise ValueError("it holds no values")
    return content


def key(parameters: Mapping[str, Any], rows: Any) -> str:
    """Return what values are found for: what decides over them, and the rows.

    Args:
        parameters: Of the step `train`.
        rows: What dvc.lock says of the prepared rows.
    """
    training = {name: value for name, value in parameters["training"].items() if name in DECIDES}
    parts = {name: parameters[name] for name in ("seed", "model", "hardware")} | {"training": training}
    return hashlib.sha256(json.dumps([parts, rows], sort_keys=True, default=str).encode()).hexdigest()


def told(parameters: Mapping[str, Any], workspace: Path) -> Mapping[str, Any]:
    """Return a training's parameters with what was found for it before, where that is told."""
    if not left_open(parameters["training"]):
        return parameters
    try:
        return with_values(parameters, read(workspace / parameters["found"])["training"])
    except (OSError, ValueError, LookupError, TypeError):
        return parameters
