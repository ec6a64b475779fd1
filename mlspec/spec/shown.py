"""A spec with its defaults, as a spec that can be read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlspec.compose.composed import Composed, at
from mlspec.compose.document import KeyPath
from mlspec.compose.layer import Layer
from mlspec.compose.reader import read
from mlspec.compose.write import write
from mlspec.errors import Place
from mlspec.sdk.frozen import freeze
from mlspec.spec.check import check
from mlspec.spec.resolved import resolved
from mlspec.spec.spec import Spec


def shown(spec: Spec, composed: Composed, folder: Path) -> dict[str, Any]:
    """Return a spec as plain data with every default that may be said.

    A default that the chosen model or target has no use for is legal only as long as nobody says it: a
    threshold of a number, epochs of a forest. Those are left out.

    Args:
        spec: The whole spec.
        composed: Where each value was said.
        folder: The spec's folder.
    """
    tree: dict[str, Any] = resolved(spec)
    while refused := [path for path in _refused(tree, folder) if not composed.origins(path)]:
        for path in refused:
            del at(tree, path[:-1])[path[-1]]
    return tree


def _refused(tree: dict[str, Any], folder: Path) -> list[KeyPath]:
    """Return the keys at which the language finds fault with a tree."""
    document, _ = read("shown", write(tree))
    faults = check(
        Spec.model_validate(freeze(tree)), Composed(tree, (Layer(document),)), folder, (), data=False
    )
    places: dict[tuple[int, int], KeyPath] = {}
    for path, mark in document.marks.items():
        if not isinstance(at(document.tree, path), dict | list):
            places[mark.value] = path
    places |= {mark.key: path for path, mark in document.marks.items() if path}
    found = [
        places.get((fault.where.line, fault.where.column))
        for fault in faults
        if isinstance(fault.where, Place)
    ]
    return [path for path in dict.fromkeys(found) if path and isinstance(path[-1], str)]
