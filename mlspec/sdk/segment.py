"""The rows of one value of a column, watched apart from all the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Segment:
    """Rows with one value of a column, or with none of those that have a segment of their own.

    Example:
        >>> Segment("town", "Bern").text, Segment("town", None).text, Segment("town", None, ("Bern",)).text
        ('town = Bern', 'town is null', 'town: any other')
    """

    column: str
    value: str | None
    """As text; None is null."""
    others: tuple[str | None, ...] | None = None
    """Of the segment of all other values: those that it has not. `value` says nothing then."""

    @property
    def key(self) -> str:
        """Return what the segment is known by in files: 16 hexadecimal digits.

        A segment of other values is another one when the values beside it are others.
        """
        told = json.dumps([self.column, self.value, self.others])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def text(self) -> str:
        """Return its name for people."""
        if self.others is not None:
            return f"{self.column}: any other"
        if self.value is None:
            return f"{self.column} is null"
        return f"{self.column} = {self.value if self.value.strip() else repr(self.value)}"

    def plain(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        others = None if self.others is None else list(self.others)
        return {"column": self.column, "value": self.value, "others": others}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Segment:
        """Return the segment that `plain` made such data of."""
        others = plain["others"]
        return cls(plain["column"], plain["value"], None if others is None else tuple(others))
