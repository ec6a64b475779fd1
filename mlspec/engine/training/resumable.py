"""What a checkpoint of a training must agree with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPREAD = ("devices", "nodes", "strategy", "launcher")
"""Keys of `hardware` that say how a training is spread, and not what it learns."""


def resumable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step's parameters without how training is spread: it goes on with other processes as well.

    Example:
        >>> resumable({"seed": 1, "hardware": {"accelerator": "cpu", "devices": 2}})
        {'seed': 1, 'hardware': {'accelerator': 'cpu'}}
    """
    kept = dict(parameters)
    if "hardware" in kept:
        kept["hardware"] = {key: value for key, value in kept["hardware"].items() if key not in SPREAD}
    return kept
