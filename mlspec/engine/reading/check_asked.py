"""Names of the columns that a query or a table of a database gives."""

from __future__ import annotations

from collections.abc import Sequence

from mlspec.engine.reading.check_columns import check_columns
from mlspec.errors import StepError

SHOWN = 20
"""Columns that a message lists."""


def check_asked(names: tuple[str, ...], place: str, order_by: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns, if they can be told apart and hold all that orders the rows.

    Args:
        names: In their order.
        place: Where they come from, for messages.
        order_by: Columns that order the rows.

    Raises:
        StepError: a name may not be, or one of `order_by` is not there.
    """
    columns = check_columns(names, place)
    missing = [name for name in order_by if name not in columns]
    if missing:
        raise StepError(
            f"order_by names '{missing[0]}', which is no column",
            where="data.source.order_by",
            fix=f"one of {', '.join(columns[:SHOWN])}",
        )
    return columns
