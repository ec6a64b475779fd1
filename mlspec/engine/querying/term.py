"""What a query reckons for one row: a graph of terms in which equal terms are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Term:
    """One value of a row."""

    place: int
    """Terms are numbered as they are made, so what a term is made of comes before it."""
    word: str
    """What is done: `column`, `constant`, or one of `mlspec.engine.querying.render`."""
    parts: tuple[Term, ...]
    value: Any = None
    """What is done it with: a number, a text, a table, a tree."""
    reach: tuple[int, int] | None = None
    """Least and most of a whole number, where they are known."""
    nan: bool = False
    """Whether it may be NaN."""


@dataclass
class Terms:
    """Makes terms; equal ones once."""

    _known: dict[Any, Term] = field(default_factory=dict)
    _count: int = 0

    def of(
        self,
        word: str,
        *parts: Term,
        value: Any = None,
        reach: tuple[int, int] | None = None,
        nan: bool = False,
    ) -> Term:
        """Return the term that does this with these parts; `value` must be hashable."""
        key = (word, tuple(part.place for part in parts), type(value), _exact(value))
        if key not in self._known:
            self._known[key] = Term(self._count, word, parts, value, reach, nan)
            self._count += 1
        return self._known[key]

    def constant(self, value: Any) -> Term:
        """Return a number, a text or a truth that is the same for every row."""
        plain = value.item() if hasattr(value, "item") else value
        if isinstance(plain, int) and not isinstance(plain, bool):
            return self.of("constant", value=plain, reach=(plain, plain))
        return self.of("constant", value=plain)

    def sum(self, terms: Sequence[Term]) -> Term:
        """Return a sum in which no number goes through many additions, and none nests deeply."""
        if len(terms) == 1:
            return terms[0]
        middle = len(terms) // 2
        return self.of("add", self.sum(terms[:middle]), self.sum(terms[middle:]))


def _exact(value: Any) -> Any:
    """Return a key by which 0.0 and -0.0 differ, and NaN is itself."""
    return repr(value) if isinstance(value, float) else value
