"""`source: {kind: parquet}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Extent

if TYPE_CHECKING:
    from pathlib import Path as File

    import ibis
    import pyarrow as pa


class Parquet(FileSource):
    """Read Parquet files as one table."""

    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="parquet", path="table.parquet"),
            cls(kind="parquet", path="*.parquet"),
            cls(kind="parquet", path="parts", hive=True),
        )

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the columns' names from the footers, then the folders' columns."""
        from mlspec.engine.reading.files import partitions_of

        return partitions_of(self, context).after(tuple(self._types(context).names), f"'{self.path}'")

    def header(self, context: Context) -> pa.Schema:
        """Return the columns and types from the footers; folders' columns are text."""
        from mlspec.engine.reading.one_schema import with_text

        return with_text(self._types(context), self.columns(context))

    def _types(self, context: Context) -> pa.Schema:
        from mlspec.engine.reading.files import files_of
        from mlspec.engine.reading.one_schema import one_schema

        return one_schema(files_of(self, context), self.path, context, _schema)

    def extent(self, context: Context) -> Extent | None:
        """Return the rows and bytes that the footers tell."""
        from mlspec.engine.reading.files import files_of

        if self.keeps:
            return None
        found = [_extent(file, str(file.name)) for file in files_of(self, context)]
        return Extent(sum(rows for rows, _ in found), sum(size for _, size in found))

    def read(self, context: Context) -> ibis.Table:
        """Return the rows with the types of the files; folders' columns are text."""
        from mlspec.engine.reading.files import all_rows

        self.columns(context)
        return all_rows(self, context)

    def read_files(self, files: Sequence[File], context: Context, *, named: bool = True) -> ibis.Table:
        """Return the rows of some files."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.files import partitions_of
        from mlspec.engine.reading.partitions import FILE
        from mlspec.engine.sql import file_list, literal

        folders = partitions_of(self, context)
        options = "hive_partitioning = false"
        if folders.columns or named:
            options += f", filename = {literal(FILE)}"
        found: ibis.Table = database(context).sql(
            f"SELECT {folders.chosen(named=named)} FROM read_parquet({file_list(files)}, {options})",
            dialect="duckdb",
        )
        return found

    def numbered(self, context: Context) -> ibis.Table | None:
        """Return the rows with their places, but for files whose names or columns DuckDB takes for others."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.files import files_of, partitions_of
        from mlspec.engine.reading.partitions import FILE
        from mlspec.engine.reading.places import is_glob
        from mlspec.engine.reading.typed_files import place
        from mlspec.engine.sql import file_list, literal

        files = files_of(self, context)
        names = {name.lower() for name in self.columns(context)}
        if any(is_glob(str(file)) for file in files) or names & {"file_row_number", "file_index"}:
            return None
        folders = partitions_of(self, context)
        named = f", filename = {literal(FILE)}" if folders.columns else ""
        at = place([_extent(file, str(file.name))[0] for file in files])
        found: ibis.Table = database(context).sql(
            f"SELECT {folders.chosen(named=False)}, {at} AS mlspec_row "
            f"FROM read_parquet({file_list(files)}, hive_partitioning = false{named})",
            dialect="duckdb",
        )
        return found

    def rows_of(self, file: File) -> int:
        """Return the rows that a file's footer tells of."""
        return _extent(file, file.name)[0]

    def nulls_told(self, context: Context) -> dict[str, int]:
        """Return the nulls that the footers tell of, of columns with no fields inside."""
        from mlspec.engine.reading.files import files_of

        told = [_nulls(file, file.name) for file in files_of(self, context)]
        by_all = set.intersection(*map(set, told))
        return {name: sum(file[name] for file in told) for name in told[0] if name in by_all}

    def look_again(self, context: Context) -> None:
        """Read the files with pyarrow, for the one and the rows that DuckDB gave up on.

        Raises:
            StepError: rows of a file cannot be read.
        """
        from mlspec.engine.reading.files import files_of
        from mlspec.engine.reading.places import name_of, root_of

        root, files = root_of(self.path, context), files_of(self, context)
        for file in files:
            _try(file, name_of(file, context, root))

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files."""
        from mlspec.engine.reading.files import fingerprint_of_files

        return fingerprint_of_files(self, context)


def _extent(file: File, name: str) -> tuple[int, int]:
    footer = _footer(file, name)
    groups = (footer.row_group(place) for place in range(footer.num_row_groups))
    return footer.num_rows, sum(group.total_byte_size for group in groups)


def _nulls(file: File, name: str) -> dict[str, int]:
    footer, found = _footer(file, name), {}
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    for place in range(footer.num_columns):
        column = footer.schema.column(place)
        told = [group.column(place).statistics for group in groups]
        # What has fields inside has a column for each of them.
        if column.path == column.name and all(item is not None and item.has_null_count for item in told):
            found[column.name] = sum(item.null_count for item in told)
    return found


def _footer(file: File, name: str) -> Any:
    """Return what a file tells of itself.

    Raises:
        StepError: it is damaged.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            return opened.metadata
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"'{name}' is no whole Parquet file: {error}", where="data.source.path") from error


def _schema(file: File, name: str) -> pa.Schema:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with file.open("rb") as stream:
            return parquet.read_schema(stream)
    except (pa.ArrowException, OSError) as error:
        raise StepError(
            f"'{name}' is no whole Parquet file: {_first(error)}",
            where="data.source.path",
            fix="copy it here again",
        ) from error


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _try(file: File, name: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    first, rows = 0, 0
    try:
        with parquet.ParquetFile(file) as content:
            for group in range(content.num_row_groups):
                rows = content.metadata.row_group(group).num_rows
                for _ in content.iter_batches(65_536, row_groups=[group]):
                    pass
                first += rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StepError(
            f"'{name}' is damaged: its rows {first} to {first + rows - 1} (the first is 0) cannot be read: "
            f"{_first(error)}",
            where="data.source.path",
            fix="copy it here again",
        ) from error
