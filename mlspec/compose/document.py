"""One text that a user wrote, as data with the place of every key and value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mlspec.errors import Fault, Place

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
WIDTH = 100
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Mark:
    """Where a value stands, and its key (a list item has none: both are the item's)."""

    key: tuple[int, int]
    value: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Document:
    """A file, or one override of the command line: data, and the place of everything in it."""

    name: str
    """The file as the user named it, or the override's own text."""
    text: str
    tree: Any = field(default_factory=dict)
    """Plain data: dict, list, str, int, float, bool, None."""
    marks: Mapping[KeyPath, Mark] = field(default_factory=dict)
    file: Path | None = None
    """The file that was read; None for an override."""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The text's lines, as YAML counts them."""
        return tuple(BREAK.split(self.text))

    def place(self, path: KeyPath, *, key: bool = False) -> Place | None:
        """Return the place of a value, or of its key; None where this document does not hold it."""
        mark = self.marks.get(path)
        if mark is None:
            return None
        line, column = mark.key if key else mark.value
        return Place(self.name, line, column)

    def excerpt(self, line: int, column: int) -> str:
        """Return the line (cut to what fits a terminal) with a caret below the column."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        start = max(0, column - 1 - WIDTH * 2 // 3) if len(text) > WIDTH else 0
        shown = "".join(char if char.isprintable() else " " for char in text[start : start + WIDTH])
        return f"{shown}\n{' ' * (column - 1 - start)}^"

    def fault(self, code: str, what: str, line: int, column: int, fix: str | None = None) -> Fault:
        """Return a fault at a place of this document, with its line and a caret."""
        return Fault(code, what, Place(self.name, line, column), fix, self.excerpt(line, column))
