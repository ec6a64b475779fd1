"""A composed spec with other values in some places."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from mlspec.compose.composed import Composed
from mlspec.compose.document import Document, KeyPath, Mark
from mlspec.compose.layer import Layer
from mlspec.compose.merge import put, without
from mlspec.spec.dotted import dotted
from mlspec.spec.levels import is_slot


def varied(composed: Composed, values: Mapping[KeyPath, Any]) -> Composed:
    """Return what would be said if these values were, each in the place of what stands there, whole.

    Args:
        composed: What is said.
        values: Plain data by the key's path.

    Raises:
        LookupError: a path leads through a list that is shorter.
    """
    tree, layers = composed.tree, list(composed.layers)
    for path, value in values.items():
        with contextlib.suppress(LookupError):
            tree = without(tree, path)
        tree = put(tree, path, value, is_slot)
        layers.append(_layer(path, value))
    return Composed(tree, tuple(layers), composed.environment)


def _layer(path: KeyPath, value: Any) -> Layer:
    text = f"{dotted(path)}={json.dumps(value, ensure_ascii=False)}"
    tree = value
    for step in reversed(path):
        tree = {step: tree}
    marks = {path[:size]: Mark((1, 1), (1, 1)) for size in range(1, len(path) + 1)}
    return Layer(Document(text, text, tree, marks), put=path)
