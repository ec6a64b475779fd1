"""Keys that had another name once. An entry stays for good: the language only grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.compose.document import KeyPath
from mlspec.spec.levels import at_path, plugin

RENAMED: Mapping[str, str] = {
    "model.gradient_boosting.column_share": "max_features",
}
"""What stood before the name (a slot and a kind, or a section) and the old key, to the new key beside it."""


def renamed(path: KeyPath, tree: Any, table: Mapping[str, str] = RENAMED) -> str | None:
    """Return the name that a key has today; None where it never had another one.

    Args:
        path: The key's.
        tree: The composed tree: kinds named in it say which plug-in the key is an option of.
        table: The renamed keys.

    Example:
        >>> renamed(("model", "column_share"), {"model": {"kind": "gradient_boosting", "column_share": 0.5}})
        'max_features'
        >>> renamed(("model", "column_share"), {"model": {"kind": "mlp"}})
    """
    word = str(path[-1])
    if not any(old.rpartition(".")[2] == word for old in table):
        return None  # the common way, without a look at the schema
    for owner in _owners(path[:-1], tree):
        if f"{owner}.{word}" in table:
            return table[f"{owner}.{word}"]
    return None


def _owners(path: KeyPath, tree: Any) -> list[str]:
    from mlspec.compose.composed import at

    found = [".".join(str(step) for step in path)]
    value = at(tree, path)
    for level in at_path(path, tree):
        if level.slot is not None and plugin(level, value) is not None:
            kind = value.get("kind", level.kind) if isinstance(value, Mapping) else value
            found.append(f"{level.slot}.{kind}")
    return found
