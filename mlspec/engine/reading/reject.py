"""Rows that could not be read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Reject:
    """Unreadable rows of one reason."""

    column: str | None
    """The column at fault; None where the row could not even be taken apart."""
    reason: str
    """Such as `is not a finite number`."""
    rows: int
    examples: tuple[str, ...]
    """A few of them, each with its place and what stood there."""

    def __str__(self) -> str:
        subject = f"column '{self.column}'" if self.column else "row"
        return f"{self.rows} rows: {subject} {self.reason} ({'; '.join(self.examples)})"

    @property
    def order(self) -> tuple[int, str, str]:
        """Return what sorts rejects: those of most rows come first."""
        return (-self.rows, self.column or "", self.reason)

    def plain(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return asdict(self) | {"examples": list(self.examples)}
