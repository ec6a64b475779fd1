"""A user's files with the names that keys have today."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlspec.compose.composed import Composed, at
from mlspec.compose.document import BREAK, Document, KeyPath
from mlspec.compose.layer import Layer
from mlspec.errors import Fault, Place, SpecError
from mlspec.spec.dotted import dotted
from mlspec.spec.renamed import RENAMED, renamed

_KEY = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s:,{}\[\]]+""")


@dataclass(frozen=True)
class Renaming:
    """One key of one file, and the name that it gets."""

    place: Place
    old: str
    """The key with what stands above it, such as `model.column_share`."""
    new: str
    """The key's name today."""


@dataclass(frozen=True)
class Migrated:
    """A file as it would be."""

    file: Path
    before: str
    after: str
    renamings: tuple[Renaming, ...]


def migrate(composed: Composed, workspace: Path, table: Mapping[str, str] = RENAMED) -> tuple[Migrated, ...]:
    """Return each file that names a key by an old name, with the new one in its place; nothing else changes.

    Args:
        composed: What the files say.
        workspace: Files outside it (shipped presets) are left alone.
        table: The renamed keys.

    Raises:
        SpecError: an old and the new name stand in one mapping, or a command line names an old one.
    """
    faults: list[Fault] = []
    found = []
    for layer in composed.layers:
        renamings = tuple(_renamings(layer, composed, table, faults))
        file = layer.document.file
        if renamings and file is not None and file.resolve().is_relative_to(workspace.resolve()):
            after = _with(layer.document, renamings)
            found.append(Migrated(file, layer.document.text, after, renamings))
    if faults:
        raise SpecError(tuple(faults))
    return tuple(found)


def _renamings(
    layer: Layer, composed: Composed, table: Mapping[str, str], faults: list[Fault]
) -> Iterator[Renaming]:
    document = layer.document
    for path in document.marks:
        if not path or not isinstance(path[-1], str):
            continue
        full: KeyPath = (*layer.package, *path)
        new = renamed(full, composed.tree, table)
        place = document.place(path, key=True)
        if new is None or place is None:
            continue
        beside = at(document.tree, path[:-1])
        if isinstance(beside, Mapping) and new in beside:
            what = f"'{path[-1]}' is called '{new}' today, and both stand here"
            faults.append(document.fault("MS0208", what, place.line, place.column, f"remove '{path[-1]}'"))
        elif document.file is None:
            what = f"'{path[-1]}' is called '{new}' today"
            fix = f"write {dotted((*full[:-1], new))}=..."
            faults.append(document.fault("MS0208", what, place.line, place.column, fix))
        else:
            yield Renaming(place, dotted(full), new)


def _with(document: Document, renamings: tuple[Renaming, ...]) -> str:
    """Return a document's text with some keys renamed: the bytes between them stay as they are."""
    starts = [0, *(found.end() for found in BREAK.finditer(document.text))]
    text = document.text
    for renaming in sorted(renamings, key=lambda item: (item.place.line, item.place.column), reverse=True):
        start = starts[renaming.place.line - 1] + renaming.place.column - 1
        key = _KEY.match(text, start)
        end = key.end() if key is not None else start
        text = text[:start] + renaming.new + text[end:]
    return text
