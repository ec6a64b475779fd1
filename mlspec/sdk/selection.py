"""A field of the spec that holds one SQL query, which can only read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

LONGEST = 20_000
"""Characters a query may have."""


def parse_selection(text: str, dialect: str) -> Any:
    """Return the syntax tree of one `select`, with all that stands in it.

    Args:
        text: The query.
        dialect: Of which database: `postgres`, `sqlite` or `duckdb`.

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
        exp.Pragma, exp.Attach, exp.Detach, exp.Placeholder, exp.Parameter,
    )  # fmt: skip
    for node in trees[0].walk():
        if isinstance(node, refused) and not isinstance(node, exp.Query):
            word = node.sql(dialect=dialect).split("(")[0][:40].strip() or type(node).__name__
            raise ValueError(f"expected an SQL query that only reads, and '{word}' does more")
    return trees[0]


def selection(text: str, dialect: str) -> str:
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
    for dialect in ("postgres", "duckdb"):
        try:
            parse_selection(text, dialect)
        except ValueError as error:
            faults.append(error)
        else:
            return text
    raise faults[0]


TABLE_NAME = r"^[^.\x00-\x1f]+(\.[^.\x00-\x1f]+)?$"
"""What a table's name looks like in the schema."""
TableName = Annotated[str, StringConstraints(pattern=TABLE_NAME, max_length=256)]
"""A table's name, perhaps with its schema's before it."""
Selection = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_check)]
"""One SQL query that only reads."""
