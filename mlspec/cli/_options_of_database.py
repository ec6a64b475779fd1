"""What a first spec says of the database that it starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LISTED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'",
    "duckdb": "SELECT CASE WHEN table_schema = 'main' THEN '' ELSE table_schema || '.' END || table_name "
    "AS name FROM information_schema.tables",
    "postgresql": "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')",
}
"""What asks a database for its tables."""
SHOWN = 30
"""Tables that are told at most."""


def is_database(text: str) -> bool:
    """Return whether `--from` names a database: a server's URL, the variable that holds it, or a file."""
    if text.startswith("${"):
        return True
    if "://" in text:
        from fsspec import available_protocols

        return text.partition("://")[0] not in available_protocols()
    return _file_kind(text) is not None


def options_of_database(text: str, table: str | None, folder: Path) -> dict[str, Any]:
    """Return the options of a source of a table.

    Args:
        text: A server's URL, the variable that holds it, or a SQLite or DuckDB file.
        table: The table; where it is absent, the only one there is.
        folder: Where the spec will lie: its paths start there.

    Raises:
        MissingError: the server is not within reach.
        UsageError: the URL may hold a password, or no table is named and there are several.
    """
    from mlspec.cli._options_of import relative

    kind = _file_kind(text)
    options = {"kind": "sql", **({"path": relative(text, folder)} if kind else {"url": _url(text)})}
    return options | {"table": table or _only_table(text, kind)}


def _file_kind(text: str) -> str | None:
    from mlspec.engine.reading.database_file import database_file

    file = Path(text)
    return database_file(file) if "://" not in text and file.is_file() else None


def _url(text: str) -> str:
    """Return a URL that may stand in a spec.

    Raises:
        UsageError: it may not; it is not repeated, for it may hold a password.
    """
    from mlspec.errors import UsageError
    from mlspec.sdk.fields import harmless_url, variable

    try:
        return text if harmless_url(text) else f"${{oc.env:{variable(text)}}}"
    except ValueError:
        raise UsageError(
            "the URL of the database may hold a password, which must not stand in a spec",
            fix="put it into the environment, export DATABASE_URL=..., and name that: "
            "--from '${oc.env:DATABASE_URL}'",
        ) from None


def _only_table(text: str, kind: str | None) -> str:
    """Return the only table of a database.

    Raises:
        UsageError: there are others, or none; or the server is of a kind that is not asked for its tables.
    """
    from mlspec.engine.reading.server_url import POSTGRES, scheme_of, server_url
    from mlspec.errors import UsageError
    from mlspec.sdk.context import Context
    from mlspec.sdk.slot import Slot

    if kind is None and scheme_of(server_url(text)) not in POSTGRES:
        raise UsageError("which table of the database?", fix="--table NAME, or --table SCHEMA.NAME")
    place = {"path": str(Path(text).resolve())} if kind else {"url": text}
    asking: Any = Slot("source").choose({"kind": "sql", **place, "query": LISTED[kind or "postgresql"]})
    found = asking.read(Context(workspace=Path.cwd())).to_pyarrow()["name"].to_pylist()
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise UsageError("the database has no table that may be read")
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise UsageError("which table of the database?", fix=f"--table {', '.join(found[:SHOWN])}{more}")
