"""`source: {kind: arrow}`."""

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


class Arrow(FileSource):
    """Read files of Arrow's IPC format (also called Feather, version 2) as one table.

    Streams of that format (`.arrows`) have no footer, and are not read.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="arrow", path="table.arrow"),
            cls(kind="arrow", path="*.arrow"),
            cls(kind="arrow", path="parts", hive=True),
        )

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the columns' names from the footers, then the folders' columns."""
        from mlspec.engine.reading.files import partitions_of

        return partitions_of(self, context).after(tuple(self._schema(context).names), f"'{self.path}'")

    def header(self, context: Context) -> pa.Schema:
        """Return the columns and types from the footers; folders' columns are text."""
        from mlspec.engine.reading.one_schema import with_text

        return with_text(self._schema(context), self.columns(context))

    def _schema(self, context: Context) -> pa.Schema:
        from mlspec.engine.reading.files import files_of
        from mlspec.engine.reading.one_schema import one_schema

        return one_schema(files_of(self, context), self.path, context, _schema)

    def extent(self, context: Context) -> Extent | None:
        """Return the sizes of the files; None for a URL."""
        from mlspec.engine.reading.files import extent_of_files

        return extent_of_files(self, context)

    def read(self, context: Context) -> ibis.Table:
        """Return the rows with the types of the files; folders' columns are text."""
        from mlspec.engine.reading.files import all_rows

        self.columns(context)
        return all_rows(self, context)

    def read_files(self, files: Sequence[File], context: Context, *, named: bool = True) -> ibis.Table:
        """Return the rows of some files."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.arrow_files import arrow_files
        from mlspec.engine.reading.files import files_of, partitions_of
        from mlspec.engine.reading.places import name_of

        connection, folders = database(context), partitions_of(self, context)
        first = files_of(self, context)[0]
        schema = _schema(first, name_of(first, context, folders.root))
        rows = arrow_files(files, schema, folders, context, named=named)
        connection.con.register("mlspec_arrow", rows)
        found: ibis.Table = connection.table("mlspec_arrow")
        return found

    def rows_of(self, file: File) -> int:
        """Return the rows of all batches of a file."""
        import pyarrow as pa

        try:
            with pa.memory_map(str(file)) as content:
                reader = pa.ipc.open_file(content)
                return sum(reader.get_batch(place).num_rows for place in range(reader.num_record_batches))
        except (pa.ArrowException, OSError) as error:
            raise StepError(f"'{file.name}' is damaged: {error}", where="data.source.path") from error

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files."""
        from mlspec.engine.reading.files import fingerprint_of_files

        return fingerprint_of_files(self, context)


def _schema(file: File, name: str) -> pa.Schema:
    import pyarrow as pa

    try:
        with file.open("rb") as content:
            return pa.ipc.open_file(content).schema
    except (pa.ArrowException, OSError) as error:
        raise StepError(
            f"'{name}' is no whole file of Arrow's IPC format: {error}", where="data.source.path"
        ) from error
