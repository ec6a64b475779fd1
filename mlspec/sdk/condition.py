"""A field of the spec that holds an SQL condition on a row."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

LONGEST = 4096
"""Characters a condition may have."""


def parse(text: str) -> Any:
    """Return the syntax tree of a condition.

    Raises:
        ValueError: it is not one SQL expression.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise ValueError(f"expected an SQL condition: {str(error).strip().splitlines()[0]}") from error
    if len(trees) != 1 or not isinstance(trees[0], sqlglot.exp.Condition):
        raise ValueError("expected one SQL condition, such as age > 30")
    return trees[0]


def columns_of(text: str) -> tuple[str, ...]:
    """Return the columns that a condition names, in the order of the text.

    Raises:
        ValueError: it is no condition.

    Example:
        >>> columns_of('age > 30 and "hours per week" < 99')
        ('age', 'hours per week')
    """
    from sqlglot import exp

    return tuple(dict.fromkeys(item.name for item in parse(text).find_all(exp.Column, bfs=False)))


def only_here(text: str) -> str | None:
    """Return the function of a condition of which servers make something else than DuckDB; None where all
    are known to be the same.

    Example:
        >>> only_here("age > 30 and lower(town) = 'bern'"), only_here("age > 30")
        ('lower', None)
    """
    from sqlglot import exp

    found = parse(text).find_all(exp.Lower, exp.Upper, exp.ILike, exp.Round)
    return next((str(node.key) for node in found if node.key != "round" or node.args.get("decimals")), None)


def _check(text: str) -> str:
    parse(text)
    return text


Condition = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_check)]
"""An SQL condition such as `age > 30`; columns, constants, operators and a few functions, no subqueries."""
