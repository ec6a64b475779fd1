"""Keys under the names that other libraries have for them."""

from __future__ import annotations

from collections.abc import Mapping

from mlspec.compose.composed import at
from mlspec.compose.document import KeyPath
from mlspec.spec.levels import homes

KNOWN_AS: Mapping[str, str] = {"learning_rate": "training.optimizer.lr"}
"""The other name, to the key of this language; plug-ins that have the other name as an option come first."""


def known_as(path: KeyPath, tree: Mapping[str, object]) -> str | None:
    """Return the key that is meant by a word from elsewhere; None where a chosen plug-in has an option of it.

    Args:
        path: The unknown key's.
        tree: The composed tree: kinds named in it say which plug-ins are chosen.

    Example:
        >>> known_as(("training", "learning_rate"), {"model": {"kind": "mlp"}})
        'training.optimizer.lr'
        >>> known_as(("training", "learning_rate"), {"model": "gradient_boosting"})
    """
    word = str(path[-1])
    if word not in KNOWN_AS:
        return None
    for home in homes():
        if home.key == word and home.kind is not None:
            value = at(tree, tuple(home.parent.split(".")))
            if home.kind == (value.get("kind") if isinstance(value, Mapping) else value):
                return None
    return KNOWN_AS[word]
