"""Folders named like `year=2024`: columns that no file holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

from mlspec.engine.reading.check_columns import check_columns
from mlspec.engine.reading.places import name_of, root_of
from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError
from mlspec.sdk.context import Context

NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark call the folder of rows without a value."""
FILE = "mlspec_file"
"""The column in which DuckDB's readers tell the file of a row."""


@dataclass(frozen=True)
class Partitions:
    """Columns that folders are; none where `columns` is empty."""

    root: PurePath
    """The folder below which their folders lie."""
    columns: tuple[str, ...] = ()

    def chosen(self, *, named: bool, rest: str = "*") -> str:
        """Return what to select from a reader, which tells `FILE` where there are columns or it is `named`.

        Args:
            named: Whether `FILE` is wanted, as the last column.
            rest: The reader's own columns, where these are not all but `FILE`.
        """
        if rest == "*" and (named or self.columns):
            rest = f"* EXCLUDE ({FILE})"
        return rest + self._sql() + (f", {FILE}" if named else "")

    def _sql(self) -> str:
        below = f"substr({FILE}, {len(str(self.root).rstrip('/')) + 1})"
        found = ""
        for name in self.columns:
            pattern = literal(f"/{re.escape(name)}=([^/]*)/")
            text = f"url_decode(regexp_extract({below}, {pattern}, 1))"
            found += f", nullif({text}, {literal(NOTHING)}) AS {quote(name)}"
        return found

    def values(self, file: Any) -> dict[str, str | None]:
        """Return what the columns hold in the rows of a file."""
        found = {name: value for name, value in _pairs(file, self.root) if name in self.columns}
        return {name: None if found[name] == NOTHING else unquote(found[name]) for name in self.columns}

    def after(self, columns: tuple[str, ...], place: str) -> tuple[str, ...]:
        """Return a file's columns and these.

        Raises:
            StepError: a file has a column of the same name.
        """
        return (
            check_columns((*columns, *self.columns), f"{place} and its folders") if self.columns else columns
        )


def partitions(path: str, hive: bool | None, files: Sequence[Any], context: Context) -> Partitions:
    """Return the columns that the folders of some files are.

    Args:
        path: What stands for the files.
        hive: Whether folders may be columns; None where the user did not say.
        files: The files.
        context: Where relative paths start.

    Raises:
        StepError: there are such folders and nothing is said, there are none, or not the same everywhere.
    """
    root = root_of(path, context)
    first: tuple[str, ...] | None = None
    if hive is False:
        return Partitions(root)
    for file in files:
        names = tuple(name for name, _ in _pairs(file, root))
        if hive is None and names:
            raise StepError(
                f"the folders of '{path}' are named like columns: '{names[0]}=...'",
                where="data.source",
                fix="say hive: true to read them as columns, or hive: false to leave them",
            )
        if first is not None and names != first:
            told = ", ".join(names) or "none"
            raise StepError(
                f"the folders of '{name_of(file, context, root)}' name other columns ({told}) "
                f"than those of the first file ({', '.join(first) or 'none'})",
                where="data.source.path",
            )
        first = names
    if hive and not first:
        raise StepError(
            f"no folder below '{path}' is named like column=value",
            where="data.source.hive",
            fix="name the folder above them, or take hive: out",
        )
    return Partitions(root, check_columns(first or (), f"the folders of '{path}'"))


def are_columns(path: str, files: Sequence[Any], context: Context) -> bool:
    """Return whether the folders of some files are named like columns."""
    root = root_of(path, context)
    return any(_pairs(file, root) for file in files)


def _pairs(file: Any, root: PurePath) -> list[tuple[str, str]]:
    parts = file.relative_to(root).parts[:-1]
    split = (part.partition("=") for part in parts)
    return [(name, value) for name, sign, value in split if name and sign]
