"""Something about the data that is seldom meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Suspicion:
    """A warning with what it rests on."""

    kind: Literal["repeated_rows", "gives_target_away", "like_an_id"]
    column: str | None
    """The column it is about; None where it is about whole rows."""
    text: str
    """One sentence with the evidence, and what to do."""
    evidence: Mapping[str, Any]
    """The numbers of the sentence."""

    def plain(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return {
            "kind": self.kind, "column": self.column, "text": self.text, "evidence": dict(self.evidence)
        }  # fmt: skip
