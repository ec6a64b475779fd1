"""A field of the spec that holds one SQL query, which can only read."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

UNSTEADY = frozenset({
    "now", "today", "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "get_current_time",
    "get_current_timestamp", "current_localtime", "current_localtimestamp", "transaction_timestamp",
    "nextval", "currval", "txid_current", "getenv", "current_setting", "version",
})  # fmt: skip
"""Functions of DuckDB that look at a clock, at chance or at the machine."""
LONGEST = 20_000
"""Characters a query may have."""

DIALECTS = {
    "postgresql": "postgres", "duckdb": "duckdb", "mysql": "mysql", "trino": "trino", "bigquery": "bigquery",
    "snowflake": "snowflake", "pyspark": "spark",
}  # fmt: skip
"""SQL of each kind of server, by what its URL begins with. Where no URL is known yet, one of them must do."""


def parse_selection(text: str, dialect: Any) -> Any:
    """Return the syntax tree of one `select`, with all that stands in it.

    Args:
        text: The query.
        dialect: Of which database, as sqlglot calls it: `postgres`, `mysql`, or its own class of one.

    Raises:
        ValueError: it is no query, more than one, or something in it does more than to read.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        trees = [tree for tree in sqlglot.parse(text, dialect=dialect) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        told = str(error).strip().splitlines() or ["it nests too deeply"]
        raise ValueError(f"expected an SQL query: {told[0]}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise ValueError("expected one SQL query that begins with SELECT or WITH")
    refused = (
        exp.DML, exp.Create, exp.Drop, exp.Alter, exp.Command, exp.Copy, exp.Into, exp.Lock, exp.Set,
        exp.Pragma, exp.Attach, exp.Detach, exp.Placeholder, exp.Parameter, exp.SessionParameter,
    )  # fmt: skip
    for node in trees[0].walk():
        if isinstance(node, refused) and not isinstance(node, exp.Query):
            word = node.sql(dialect=dialect).split("(")[0][:40].strip() or type(node).__name__
            raise ValueError(f"expected an SQL query that only reads, and '{word}' does more")
    if trees[0].args.get("order") is not None and trees[0].args.get("limit") is None:
        raise ValueError("expected an SQL query without ORDER BY at its end: 'order_by' orders the rows")
    return trees[0]


def check_closed(text: str, tables: Collection[str]) -> None:
    """Refuse a DuckDB query that reads anything but some tables, or whose answer is another one each time.

    Args:
        text: The query.
        tables: Names that it may read from.

    Raises:
        ValueError: it is no query, or it is such a one.
    """
    from sqlglot import exp

    tree = parse_selection(text, "duckdb")
    known = {name.lower() for name in tables} | {item.alias.lower() for item in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier) and not table.db
        if not (plain and table.name.lower() in known) and not isinstance(table.this, exp.GenerateSeries):
            word = table.sql(dialect="duckdb")[:80]
            raise ValueError(f"expected a query over {', '.join(tables)} alone, and it reads {word}")
    moving = (exp.Rand, exp.Uuid, exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.TableSample)
    for node in tree.find_all(*moving, exp.Anonymous):
        word = node.name.lower() if isinstance(node, exp.Anonymous) else node.sql(dialect="duckdb")
        if not isinstance(node, exp.Anonymous) or word in UNSTEADY:
            raise ValueError(
                f"expected a query with the same answer each time, and '{word[:40]}' has another"
            )


def selection(text: str, dialect: Any) -> str:
    """Return one `select` as it was understood: what is sent is what was checked.

    Raises:
        ValueError: it is no such query.

    Example:
        >>> selection("select a from t -- all", "postgres")
        'SELECT a FROM t'
    """
    return str(parse_selection(text, dialect).sql(dialect=dialect, comments=False))


def _check(text: str) -> str:
    """Refuse what is a query in no dialect; which one it must be in is known where the database is."""
    faults = []
    with _quiet():
        for dialect in DIALECTS.values():
            try:
                parse_selection(text, dialect)
            except ValueError as error:
                faults.append(error)
            else:
                return text
    raise faults[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave unsaid what sqlglot warns of: a query that is none in one kind of SQL may be one in another."""
    logger = logging.getLogger("sqlglot")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def check_query(text: str, url: str) -> None:
    """Refuse what is no query in the SQL of a server, where its URL tells which that is.

    Raises:
        ValueError: it is none.
    """
    scheme = url.partition("://")[0]
    if scheme not in DIALECTS:
        return
    try:
        parse_selection(text, DIALECTS[scheme])
    except ValueError as error:
        raise ValueError(f"'query' must be in the SQL of {scheme}: {error}") from error


TABLE_NAME = r"^[^.\x00-\x1f]+(\.[^.\x00-\x1f]+)?$"
"""What a table's name looks like in the schema."""
TableName = Annotated[str, StringConstraints(pattern=TABLE_NAME, max_length=256)]
"""A table's name, perhaps with its schema's before it."""
TABLE_PLACE = TABLE_NAME.replace(")?$", "){0,2}$")
"""What it looks like where a catalog may stand before it."""
TablePlace = Annotated[str, StringConstraints(pattern=TABLE_PLACE, max_length=256)]
"""A table's name, perhaps with its schema's and its catalog's before it."""
Selection = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_check)]
"""One SQL query that only reads."""
