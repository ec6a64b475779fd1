"""What one look at one column found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """A change of the values or the nulls of a column, and how sure it is."""

    what: Literal["values", "nulls"]
    test: str
    effect: float
    p: float | None
    """Chance of such a change where nothing changed; None of a raw distance."""
    resolution: float
    """The p-value that a change of just the smallest effect would have got with so many rows. Of a raw
    distance: how large it is expected to be where nothing changed.
    """
    threshold: float | None = None
    """Of a raw distance: from where on it is told."""
    sampled: int | None = None
    """Values that were looked at, where not all were kept."""
