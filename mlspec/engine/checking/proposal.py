"""A guess at what each column of a table is, with a reason for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis

from mlspec.engine.reading.cast import EXACT, ISO, ZONED
from mlspec.engine.reading.files import here
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.refusal import told
from mlspec.engine.sql import quote
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Source

HEAD = "mlspec_head"
ROWS = 100_000
"""Rows of the beginning that are looked at."""
SOME = 2**26
"""Bytes of a URL's files that are enough to see what columns are."""
FEW = 20
"""Distinct whole numbers up to which a column may be a category."""
WORDS = re.compile(
    r"(^|[_\W])(target|label|class|y|outcome|churn(ed)?|income|species|default|survived)($|[_\W])",
    re.IGNORECASE,
)
IDS = re.compile(r"(^|[_\W])(id|uuid|guid|key|index|unnamed)($|[_\W])", re.IGNORECASE)

CODES = re.compile(r"(^|[_\W])(id|code|zip|zipcode|postcode|tract|area|region|type)($|[_\W])", re.IGNORECASE)
"""Names of columns whose numbers may count nothing."""
TIMES = re.compile(r"(^|[_\W])(time|timestamp|date|datetime|epoch)($|[_\W])", re.IGNORECASE)


@dataclass(frozen=True)
class Guess:
    """What a column may be."""

    column: str
    kind: str | None
    """A feature kind, or None for a column that is better ignored."""
    reason: str
    options: tuple[tuple[str, Any], ...] = ()
    """Options besides the kind."""
    an_id: bool = False
    """Whether each row has a value of its own."""

    def mapping(self) -> dict[str, Any]:
        """Return it as a user would write it under `data.features`."""
        return {"kind": self.kind} | dict(self.options)


@dataclass(frozen=True)
class Proposal:
    """What a table's columns may be."""

    guesses: tuple[Guess, ...]
    """In the source's order; columns that were already spoken for are not among them."""
    target: str | None
    """The column that may be the target, where none was told."""
    target_kind: str | None
    """binary, category or number."""
    target_reason: str = ""


@dataclass(frozen=True)
class _Facts:
    rows: int
    valid: int
    distinct: int
    numeric: bool
    """All values are finite numbers."""
    whole: bool
    """All values are whole numbers."""
    padded: bool
    """Some whole number is written with leading zeros: a code."""
    iso: bool
    """All values are ISO 8601 times."""
    zoned: bool
    """All times name their zone."""


def first_rows(source: Source, context: Context, ordered: bool = True) -> ibis.Table:
    """Return the first 100,000 rows of a source, as a table of their own.

    Args:
        source: The table.
        context: Where relative paths start.
        ordered: In the source's own order; else those that cost least, which may be others the next time.

    Raises:
        MissingError: there is no such source.
        StepError: it cannot be read.
    """
    if isinstance(source, FileSource) and not ordered:
        source = here(source, context, SOME)
    with told(Marks.of(source, context)):
        table = source.head(context, ROWS) if ordered else source.some(context, ROWS)
        connection: Any = table.get_backend()
        query = ibis.to_sql(table, dialect="duckdb")
        connection.con.execute(f"CREATE TABLE {HEAD} AS SELECT * FROM ({query}) LIMIT {ROWS}")
    found: ibis.Table = connection.table(HEAD)
    return found


def proposal(rows: ibis.Table, data: Mapping[str, Any] | None = None) -> Proposal:
    """Return what the columns of a table may be.

    Args:
        rows: What `first_rows` gave.
        data: What is known already of `data:`; the columns that it names are left out.
    """
    connection = rows.get_backend()
    spoken = _spoken(data or {})
    guesses, facts = [], {}
    for name, dtype in rows.schema().items():
        if name in spoken:
            continue
        facts[name] = found = _facts(connection, name, dtype)
        guesses.append(_guess(name, dtype, found))
    if (data or {}).get("target"):
        return Proposal(tuple(guesses), None, None)
    target, reason = _target(guesses, facts)
    kind = (
        _target_kind(next(item for item in guesses if item.column == target), facts[target])
        if target
        else None
    )
    return Proposal(tuple(item for item in guesses if item.column != target), target, kind, reason)


def _spoken(data: Mapping[str, Any]) -> set[str]:
    spoken = {*(data.get("key") or ()), *(data.get("ignore") or ())}
    if data.get("weight"):
        spoken.add(data["weight"])
    for section in ("target", "event_time"):
        if data.get(section):
            spoken.add(data[section]["column"])
    return spoken


def _facts(connection: Any, name: str, dtype: Any) -> _Facts:
    column = quote(name)
    text = f"({column} ->> '$')" if dtype.is_json() else f"CAST({column} AS VARCHAR)"
    number = f"TRY_CAST({text} AS DOUBLE)"
    tests = (
        f"{text} IS NOT NULL AND ({number} IS NULL OR NOT isfinite({number}) OR abs({number}) > {EXACT} "
        f"OR contains({text}, '_'))",
        f"NOT regexp_full_match({text}, '[+-]?[0-9]+([.]0+)?')",
        f"regexp_full_match({text}, '-?0[0-9]+')",
        f"NOT regexp_full_match({text}, '{ISO}') "
        f"OR ({text} IS NOT NULL AND TRY_CAST(left({text}, 10) AS DATE) IS NULL)",
        f"NOT regexp_full_match({text}, '{ZONED}')",
    )
    counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
    query = f"SELECT count(*), count({text}), count(DISTINCT {text}), {counts} FROM {HEAD}"
    rows, valid, distinct, no_number, no_whole, padded, no_iso, no_zone = connection.con.execute(
        query
    ).fetchone()
    return _Facts(rows, valid, distinct, not no_number, not no_whole, padded > 0, not no_iso, not no_zone)


def _guess(name: str, dtype: Any, facts: _Facts) -> Guess:
    if facts.valid == 0:
        return Guess(name, None, "it is always empty")
    if facts.distinct == 1 and facts.valid == facts.rows:
        return Guess(name, None, "it always holds the same value")
    if dtype.is_array() or dtype.is_struct() or dtype.is_map() or dtype.is_binary():
        return Guess(name, None, f"it holds {dtype}")
    if dtype.is_timestamp() or dtype.is_date():
        zone = () if dtype.is_timestamp() and dtype.timezone else (("timezone", "UTC"),)
        return Guess(name, "datetime", "it holds times", zone)
    if dtype.is_boolean():
        return Guess(name, "binary", "it holds true and false")
    text = dtype.is_string() or dtype.is_json()
    if text and facts.iso:
        return Guess(
            name, "datetime", "every value is an ISO 8601 time", () if facts.zoned else (("timezone", "UTC"),)
        )
    if facts.numeric and not facts.padded and (text or dtype.is_numeric()):
        return _guess_number(name, dtype, facts)
    if facts.distinct == facts.valid and facts.valid > FEW:
        return Guess(name, None, "every row has a value of its own: it looks like an id", an_id=True)
    if facts.distinct == 2:
        return Guess(name, "binary", "it holds two values")
    if facts.distinct > facts.valid / 2 and facts.distinct > 1000:
        return Guess(
            name, None, f"{facts.distinct} different texts in {facts.valid} rows: too many for a category"
        )
    return Guess(name, "category", f"it holds {facts.distinct} different texts")


def _guess_number(name: str, dtype: Any, facts: _Facts) -> Guess:
    countable = dtype.is_integer() or (facts.whole and not dtype.is_floating() and not dtype.is_decimal())
    if (
        countable
        and facts.distinct == facts.valid
        and facts.valid > FEW
        and (IDS.search(name) or (facts.valid == facts.rows and facts.rows > 1000))
    ):
        return Guess(name, None, "every row has a whole number of its own: it looks like an id", an_id=True)
    if countable and facts.distinct == 2:
        return Guess(name, "binary", "it holds two whole numbers")
    return Guess(name, "number", f"every value is a number{_doubt(name, facts)}")


def _doubt(name: str, facts: _Facts) -> str:
    """Return what speaks against a number, as a question; nothing where nothing does."""
    if facts.whole and CODES.search(name):
        return ", but is it a code? then: category"
    if facts.whole and TIMES.search(name) and facts.distinct > FEW:
        return ", but is it a time? then it must be written as one: datetime"
    if facts.whole and facts.distinct <= FEW:
        return f", but only {facts.distinct} whole ones: or category"
    return ""


def _target(guesses: list[Guess], facts: Mapping[str, _Facts]) -> tuple[str | None, str]:
    usable = [
        item
        for item in guesses
        if item.kind in ("number", "category", "binary") and facts[item.column].distinct > 1
    ]
    named = [item for item in usable if WORDS.search(item.column)]
    if named:
        return named[-1].column, "its name says so"
    if guesses and usable and usable[-1].column == guesses[-1].column:
        return usable[-1].column, "it is the last column"
    return None, ""


def _target_kind(guess: Guess, facts: _Facts) -> str:
    if facts.distinct == 2:
        return "binary"
    if guess.kind == "number" and not (facts.whole and facts.distinct <= FEW):
        return "number"
    return "category"
