"""The words that databases have of their own; all others are the same in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError

NAME = 63
"""Bytes of a name in PostgreSQL; what is longer it cuts off without a word."""


def text(value: str) -> str:
    r"""Return a text as a literal that no setting of a server reads in another way.

    Example:
        >>> text("it's"), text("a\\")
        ("'it''s'", "E'a\\\\'")
    """
    return "E" + literal(value.replace("\\", "\\\\")) if "\\" in value else literal(value)


def number(value: float) -> str:
    """Return a number as a double, exactly.

    Example:
        >>> number(0.1), number(-2.0), number(float("nan"))
        ('0.1e0::float8', '(-2.0e0::float8)', "'NaN'::float8")
    """
    if value != value:
        return "'NaN'::float8"
    digits = repr(abs(value))
    plain = f"{digits if 'e' in digits else digits + 'e0'}::float8"
    return f"(-{plain})" if value < 0 else plain


@dataclass(frozen=True)
class Dialect:
    """What is said differently."""

    name: str
    """Of the database: postgresql or duckdb."""
    opens: str
    closes: str
    """Around the numbers of an array in a text."""
    longest: int | None
    """Bytes of a name."""
    widest: int | None
    """Columns of one SELECT."""

    def table(self, values: Sequence[float]) -> str:
        """Return an array of doubles, whose entries count from 1."""
        told = ",".join("NaN" if value != value else repr(float(value)) for value in values)
        return f"('{self.opens}{told}{self.closes}'::float8[])"

    def name_of(self, name: str) -> str:
        """Return a name in quotes.

        Raises:
            StepError: the database would cut it off.
        """
        if self.longest is not None and len(name.encode()) > self.longest:
            raise StepError(
                f"the name '{name[:80]}' is longer than the {self.longest} bytes that {self.name} takes",
                fix="shorten it in the data",
            )
        return quote(name)

    def whole_row(self, row: str) -> str:
        """Return all columns of a row that was carried as one value."""
        return f"({row}).*" if self.name == "postgresql" else f"{row}.*"

    def of_row(self, row: str, column: str) -> str:
        """Return one column of it."""
        return f"({row}).{self.name_of(column)} AS {self.name_of(column)}"


POSTGRESQL = Dialect("postgresql", "{", "}", longest=NAME, widest=1600)
DUCKDB = Dialect("duckdb", "[", "]", longest=None, widest=None)
DIALECTS = {dialect.name: dialect for dialect in (POSTGRESQL, DUCKDB)}
