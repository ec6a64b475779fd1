"""What the files that a database reads are called in messages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from mlspec.engine.reading.places import name_of
from mlspec.sdk.context import Context

TABLE = "mlspec_file_names"


def note_names(connection: Any, files: Sequence[Path], context: Context, root: PurePath) -> None:
    """Keep the names of files, in their order, in the database that reads them."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} (path VARCHAR, name VARCHAR)")
    names = [name_of(file, context, root) for file in files]
    connection.execute(
        f"INSERT INTO {TABLE} SELECT unnest($1::VARCHAR[]), unnest($2::VARCHAR[])",
        [[str(file) for file in files], names],
    )


def noted_names(connection: Any) -> dict[Path, str]:
    """Return the files and what they are called, in their order."""
    found = connection.execute(f"SELECT path, name FROM {TABLE} ORDER BY rowid").fetchall()
    return {Path(path): name for path, name in found}
