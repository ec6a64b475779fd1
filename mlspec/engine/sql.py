"""Texts that stand in SQL."""

from __future__ import annotations

from collections.abc import Iterable


def quote(name: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal.

    Example:
        >>> literal("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def file_list(files: Iterable[object]) -> str:
    """Return files as a list of DuckDB's readers; signs of a glob in their names stand for themselves.

    Example:
        >>> file_list(["/here/a[1].csv"])
        "['/here/a[[]1].csv']"
    """
    escaped = ("".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(file)) for file in files)
    return "[" + ", ".join(map(literal, escaped)) + "]"
