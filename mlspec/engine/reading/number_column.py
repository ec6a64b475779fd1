"""A column that a rule reads as numbers."""

from __future__ import annotations

import ibis

from mlspec.errors import StepError


def number_column(table: ibis.Table, column: str, rule: str) -> ibis.NumericValue:
    """Return a column of a table, if it holds numbers.

    Args:
        table: The rows.
        column: Its name.
        rule: Who asks, for messages.

    Raises:
        StepError: it holds something else.
    """
    found = table[column]
    if not found.type().is_numeric() or found.type().is_boolean():
        raise StepError(
            f"the rule '{rule}' needs numbers, and '{column}' is read as {found.type()}",
            where="validation.rules",
            fix=f"declare its kind: data.features.{column}: number",
        )
    return found
