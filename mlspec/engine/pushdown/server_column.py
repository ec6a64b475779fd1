"""A column of a server's table: how its values sort, and what they are as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlspec.engine.sql import quote

Form = Literal[
    "text", "numeric", "uuid", "boolean", "integer", "float", "date", "timestamp", "instant", "other"
]

FORMS: Mapping[str, Form] = {
    "smallint": "integer", "integer": "integer", "bigint": "integer",
    "real": "float", "double precision": "float", "numeric": "numeric",
    "text": "text", "character varying": "text", "name": "text", "character": "text",
    "json": "text", "jsonb": "text", "boolean": "boolean", "uuid": "uuid", "date": "date",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "instant",
}  # fmt: skip


@dataclass(frozen=True)
class ServerColumn:
    """One column as the server has it."""

    name: str
    type: str
    """In the server's words, such as `double precision`."""
    form: Form

    @property
    def sql(self) -> str:
        """Return its name in a query."""
        return quote(self.name)

    @property
    def text(self) -> str:
        """Return SQL of its values as text that sorts by its bytes, as a driver sends those that Arrow has no
        type for.
        """
        text = f"{self.sql}::text"
        if self.form == "numeric":
            text = (
                f"CASE {text} WHEN 'NaN' THEN 'nan' WHEN 'Infinity' THEN 'inf' WHEN '-Infinity' THEN '-inf' "
                f"ELSE {text} END"
            )
        elif self.type == "character":
            # A cast would take its blanks away.
            text = f"CASE WHEN {self.sql} IS NOT NULL THEN concat({self.sql}) END"
        return f'({text}) COLLATE "C"'

    @property
    def order(self) -> str:
        """Return what rows are sorted by, as DuckDB sorts what it is sent."""
        if self.form in ("text", "other"):
            return self.sql if self.type == "bytea" else self.text
        return self.sql

    @property
    def shown(self) -> str:
        """Return its values as text for reports, as they are shown here."""
        if self.form != "float":
            return self.text
        return (
            f"CASE WHEN {self.sql}::text ~ '^-?[0-9]+$' THEN {self.sql}::text || '.0' "
            f"ELSE replace(lower({self.sql}::text), 'infinity', 'inf') END"
        )


def server_column(name: str, kind: str, type_: str) -> ServerColumn:
    """Return a column of a type.

    Args:
        name: The column's.
        kind: `pg_type.typtype`: b base, e enum, c row ...; of a domain, that of what it is made of.
        type_: Its name, as `pg_typeof` says it.

    Example:
        >>> server_column("n", "b", "bigint").form, server_column("m", "e", "mood").form
        ('integer', 'text')
    """
    return ServerColumn(name, type_, "text" if kind == "e" else FORMS.get(type_, "other"))


def ordered(columns: tuple[ServerColumn, ...]) -> str:
    """Return what sorts rows by columns: rows that are equal then are one and the same in them."""
    # -0.0 and 0.0, 1.0 and 1.00 are equal, and not the same.
    same = [column for column in columns if column.form in ("float", "numeric")]
    texts = [f'({column.sql}::text) COLLATE "C"' for column in same]
    return ", ".join([*(column.order for column in columns), *texts])
