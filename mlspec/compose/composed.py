"""A composed spec: plain data, and where each value of it was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.compose.document import Document, KeyPath, Mark
from mlspec.compose.layer import Layer
from mlspec.errors import Fault, Place


@dataclass(frozen=True)
class Origin:
    """One place that says something of a key."""

    value: Any
    place: Place
    """Of the value."""
    key: Place
    """Of the key."""
    removed: bool = False
    """True where an override `~key` takes the key away."""
    preset: str | None = None
    """The preset that says so, such as `hardware/cpu`."""


@dataclass(frozen=True, eq=False)
class Composed:
    """What all layers say together."""

    tree: Mapping[str, Any]
    """Plain data, defaults of the schema not filled in."""
    layers: tuple[Layer, ...]
    """Lowest first."""
    environment: tuple[KeyPath, ...] = ()
    """Keys whose value is `${oc.env:NAME}`, left as it is."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read: presets, the spec, overlays; each once, lowest layer first."""
        found = [layer.document.file for layer in self.layers if layer.document.file is not None]
        return tuple(dict.fromkeys(found))

    @property
    def presets(self) -> Mapping[str, int | None]:
        """The presets used, and the revision of each."""
        return {layer.preset: layer.revision for layer in self.layers if layer.preset is not None}

    def origins(self, path: KeyPath) -> tuple[Origin, ...]:
        """Return everything said of a key, lowest layer first; the last one holds."""
        found: list[Origin] = []
        for layer in self.layers:
            inner = path[len(layer.package) :]
            if layer.removes is not None:
                if path[: len(layer.removes)] == layer.removes:
                    start = Place(layer.document.name, 1, 1)
                    found.append(Origin(None, start, start, removed=True))
                continue
            if path[: len(layer.package)] != layer.package:
                continue
            place, key = layer.document.place(inner), layer.document.place(inner, key=True)
            if place is not None and key is not None:
                found.append(Origin(at(layer.document.tree, inner), place, key, preset=layer.preset))
        return tuple(found)

    def fault(
        self, code: str, what: str, path: KeyPath, *, key: bool = False, fix: str | None = None
    ) -> Fault:
        """Return a fault at a key's or value's place; at the nearest key above it where nothing is said of
        the path.
        """
        for length in range(len(path), 0, -1):
            said = self._top(path[:length])
            if said is not None:
                document, mark = said
                line, column = mark.key if (key or length < len(path)) else mark.value
                return document.fault(code, what, line, column, fix)
        return self.spec.fault(code, what, 1, 1, fix)

    @property
    def spec(self) -> Document:
        """The spec's own document."""
        return next(layer.document for layer in self.layers if layer.preset is None)

    def _top(self, path: KeyPath) -> tuple[Document, Mark] | None:
        """Return the highest layer's place of a key; a null over something says nothing and is passed
        over.
        """
        silent = at(self.tree, path) is not None
        for layer in reversed(self.layers):
            inner = path[len(layer.package) :]
            if layer.removes is not None or not inner or path[: len(layer.package)] != layer.package:
                continue
            mark = layer.document.marks.get(inner)
            if mark is not None and not (silent and at(layer.document.tree, inner) is None):
                return layer.document, mark
        return None


def at(tree: Any, path: KeyPath) -> Any:
    """Return the value at a path of plain data; None where there is none."""
    for step in path:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return None
    return tree
