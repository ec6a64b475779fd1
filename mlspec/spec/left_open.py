"""Values that a spec leaves open for a training: `auto`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

LEFT_OPEN = (("batch_size",), ("optimizer", "lr"))
"""Keys of `training` that may be `auto`, in the order in which they are found."""


def left_open(training: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Return the keys of `training` that are `auto`.

    Example:
        >>> left_open({"batch_size": "auto", "optimizer": {"kind": "sgd", "lr": 0.1}})
        (('batch_size',),)
    """
    found = []
    for path in LEFT_OPEN:
        value: Any = training
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value == "auto":
            found.append(path)
    return tuple(found)


def with_values(parameters: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a training's parameters with what was found in the place of `auto`.

    Args:
        parameters: Of the step `train`.
        values: By the key under `training`, dotted.
    """
    training = copy.deepcopy(dict(parameters["training"]))
    for path in left_open(training):
        inner = training
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = values[".".join(path)]
    return {**parameters, "training": training}
