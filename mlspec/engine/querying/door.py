"""The door in SQL: what a database's column must hold, and as what it goes in.

A row with a value that the door refuses has no answer: `refused` names the column and why. The rules are
those of `mlspec.engine.door`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlspec.engine.door import BIGGEST
from mlspec.engine.querying.dialect import Dialect, text
from mlspec.engine.querying.term import Term, Terms
from mlspec.engine.zone import zone
from mlspec.sdk.contract import NULL, InputColumn

INTEGER = "^(0|-?[1-9][0-9]*)$"
"""How a whole number is written."""


@dataclass(frozen=True)
class Types:
    """What a database calls its types."""

    exact: tuple[str, ...]
    """Of numbers that may lie beyond what a double holds exactly."""
    whole: tuple[str, ...]
    """Of all other whole numbers."""
    floating: tuple[str, ...]
    truth: str
    text: tuple[str, ...]
    """Of texts, as far as another column could be taken for one."""
    zoned: str
    naive: tuple[str, ...]
    others: tuple[str, ...]
    """Of what could be written as text and is none."""


TYPES = {
    "postgresql": Types(
        exact=("bigint", "numeric"),
        whole=("smallint", "integer"),
        floating=("real", "double precision"),
        truth="boolean",
        text=("text", "character varying", "character"),
        zoned="timestamp with time zone",
        naive=("timestamp without time zone", "date"),
        others=("interval", "time without time zone", "time with time zone", "bytea"),
    ),
    "duckdb": Types(
        exact=("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT"),
        whole=("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"),
        floating=("FLOAT", "DOUBLE"),
        truth="BOOLEAN",
        text=("VARCHAR",),
        zoned="TIMESTAMP WITH TIME ZONE",
        naive=("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"),
        others=("INTERVAL", "TIME", "TIME WITH TIME ZONE", "BLOB"),
    ),
}


def refusal(raw: Sequence[str], inputs: Sequence[InputColumn], dialect: Dialect) -> str:
    """Return the expression of why a row is refused: null where it is not.

    Args:
        raw: The columns as they are.
        inputs: What each must hold.
        dialect: In whose words.
    """
    cases = [
        f"WHEN {column} IS NOT NULL AND {holds} THEN " + text(f"column '{item.name}': {reason}")
        for column, item in zip(raw, inputs, strict=True)
        for holds, reason in _Rules(column, dialect).of(item)
    ]
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS text)"


def _value(column: str, item: InputColumn, dialect: Dialect) -> str:
    if item.tensor == "string":
        return f'CAST({column} AS text) COLLATE "C"'
    if item.type == "datetime":
        return clock(column, dialect)
    return f"NULLIF(CAST({column} AS float8), 'NaN'::float8)"


@dataclass(frozen=True)
class _Rules:
    column: str
    dialect: Dialect

    def of(self, item: InputColumn) -> Iterator[tuple[str, str]]:
        """Yield what must not hold of a value that is there, and how that is told."""
        types = TYPES[self.dialect.name]
        if item.tensor == "string":
            yield from self._text(item, types)
        elif item.type == "datetime":
            yield from self._time(item, types)
        else:
            yield from self._number(types)

    def _is_one_of(self, names: Sequence[str]) -> str:
        found = f"pg_typeof({self.column})::text" if self.dialect.name == "postgresql" else self._type()
        return f"{found} IN ({', '.join(map(text, names))})"

    def _type(self) -> str:
        return f"split_part(typeof({self.column}), '(', 1)"

    def _number(self, types: Types) -> Iterator[tuple[str, str]]:
        yield self._is_one_of((*types.text, types.truth)), "text or a truth where a number is expected"
        beyond = f"({self.column} > {BIGGEST} OR {self.column} < -{BIGGEST})"
        exact = self._is_one_of((*types.exact, "DECIMAL"))
        if self.dialect.name == "postgresql":
            beyond += f" AND {self.column}::text <> 'NaN'"
        yield f"{exact} AND {beyond}", "an integer beyond 2^53 loses digits as a number"
        ends = "('Infinity'::float8, '-Infinity'::float8)"
        yield f"CAST({self.column} AS float8) IN {ends}", "infinity is no number"

    def _text(self, item: InputColumn, types: Types) -> Iterator[tuple[str, str]]:
        wrong = (*types.floating, types.zoned, *types.naive, *types.others)
        if item.type != "boolean":
            wrong = (types.truth, *wrong)
        if item.type != "integer":
            wrong = (*types.exact, *types.whole, "DECIMAL", *wrong)
        wanted = {"string": "text", "integer": "an integer", "boolean": "true or false"}[item.type]
        yield self._is_one_of(wrong), f"{wanted} is expected"
        word = f"CAST({self.column} AS text)"
        yield f"{word} = {text(NULL)}", "the character U+FDD0 stands for null"
        if self.dialect.name == "duckdb":
            yield f"contains({word}, chr(0))", "text with the character NUL"
        if item.type == "integer":
            yield f"NOT {word} ~ {text(INTEGER)}", "text where an integer is expected"
        if item.type == "boolean":
            yield f"{word} NOT IN ('true', 'false')", "text where true or false is expected"

    def _time(self, item: InputColumn, types: Types) -> Iterator[tuple[str, str]]:
        known = (types.zoned, *types.naive)
        yield f"NOT {self._is_one_of(known)}", "a time is expected"
        if item.timezone is None:
            yield self._is_one_of(types.naive), "a time without a zone"
        yield f"NOT isfinite({self.column})", "a time without an end"


def clock(column: str, dialect: Dialect) -> str:
    """Return the milliseconds since 1970 that a time shows; what is finer is cut off."""
    if dialect.name == "postgresql":
        return f"floor(EXTRACT(EPOCH FROM {column}) * 1000)::float8"
    ticks = f"epoch_us({column})"
    return f"CAST(({ticks} - (({ticks} % 1000) + 1000) % 1000) // 1000 AS float8)"


def naive(column: str, dialect: Dialect) -> str:
    """Return whether a time has no zone of its own."""
    told = f"pg_typeof({column})::text" if dialect.name == "postgresql" else f"typeof({column})"
    return f"{told} <> {text(TYPES[dialect.name].zoned)}"


def columns_of(terms: Terms, inputs: Sequence[InputColumn]) -> dict[str, Term]:
    """Return the term of each input; naive times are moved by the zone that the contract names."""
    found = {}
    for place, item in enumerate(inputs):
        term = terms.of("column", value=f"d{place}")
        if item.type == "datetime" and item.timezone is not None:
            rules = zone(item.timezone)
            starts = tuple((rules.starts + rules.offsets[1:]).tolist())
            told = terms.of("column", value=f"n{place}")
            term = terms.of("instant", term, told, value=(starts, tuple(rules.offsets.tolist())))
        found[item.name] = term
    return found


def doors(raw: Sequence[str], inputs: Sequence[InputColumn], dialect: Dialect) -> dict[str, str]:
    """Return the expressions of the columns that `columns_of` names, for rows that are not refused."""
    found = {}
    for place, (column, item) in enumerate(zip(raw, inputs, strict=True)):
        found[f"d{place}"] = _value(column, item, dialect)
        if item.type == "datetime" and item.timezone is not None:
            found[f"n{place}"] = naive(column, dialect)
    return found
