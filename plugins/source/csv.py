"""`source: {kind: csv}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Extent, Unreadable

if TYPE_CHECKING:
    import ibis

    from mlspec.engine.reading.csv_records import Record

Sign = Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[\x01-\x7e]$")]

CODECS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "utf-16": "utf-16"}


class Csv(FileSource):
    """Read CSV files with a header line; every column comes as text, and the spec says what it holds.

    Ragged rows, bad quotes and bytes of another encoding are rejects: counted, shown, and held against
    `data.max_rejects`. A quote that swallows whole lines ends the run, because nobody can tell how many
    were lost, as do lines that end in different ways. Empty lines, empty values behind the last column and
    spaces around a quoted value are passed over.
    """

    text: ClassVar[bool] = True
    parsed: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (
        ".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst",
    )  # fmt: skip

    delimiter: Sign = ","
    """The sign between two values."""
    quote: Sign = '"'
    """The sign around values that hold the delimiter or line ends; written twice it stands for itself."""
    nulls: Annotated[tuple[str, ...], Field(max_length=20)] = ("",)
    """Texts that mean "no value", quoted or not."""
    encoding: Literal["utf-8", "latin-1", "utf-16"] = "utf-8"
    """How bytes become text."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="csv", path="table.csv"),
            cls(kind="csv", path="*.csv", nulls=("", "NA")),
            cls(kind="csv", path="packed/table.csv.gz"),
            cls(kind="csv", path="parts", hive=True),
        )

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the header's names, then the folders' columns; reads the header line of each file, with
        Python's csv module.
        """
        from mlspec.engine.reading.files import files_of, partitions_of
        from mlspec.engine.reading.places import name_of
        from mlspec.engine.reading.same_columns import same_columns

        first: tuple[str, tuple[str, ...]] | None = None
        partitions = partitions_of(self, context)
        for file in files_of(self, context):
            name = name_of(file, context, partitions.root)
            found = (name, self._header(file, name))
            first = first or found
            same_columns(first, found)
        assert first is not None
        return partitions.after(first[1], f"'{first[0]}'")

    def _header(self, file: File, name: str) -> tuple[str, ...]:
        import csv
        import io

        from mlspec.engine.reading.check_columns import check_columns
        from mlspec.engine.reading.lines import lines
        from mlspec.engine.reading.unpacked import unpacked

        try:
            # What is no text behind the header is a reject later; only the header must be readable here.
            with (
                unpacked(file, name) as stream,
                io.TextIOWrapper(stream, CODECS[self.encoding], errors="surrogateescape", newline="") as text,
            ):
                row = next(
                    csv.reader(
                        lines(text, name), delimiter=self.delimiter, quotechar=self.quote, strict=True
                    ),
                    None,
                )
            "".join(row or ()).encode("utf-8")
        except UnicodeError as error:
            raise StepError(
                f"'{name}' is not {self.encoding} text",
                where="data.source",
                fix="set encoding: latin-1 or utf-16",
            ) from error
        except csv.Error as error:
            raise StepError(f"the header of '{name}' cannot be read: {error}", where="data.source") from error
        if not row:
            raise StepError(f"'{name}' is empty: it has no header line", where="data.source.path")
        if "\0" in "".join(row):
            raise StepError(
                f"the header of '{name}' holds NUL: it is no {self.encoding} text",
                where="data.source",
                fix="set encoding: utf-16, where it is that",
            )
        return check_columns(tuple(row), f"the header of '{name}'")

    def extent(self, context: Context) -> Extent | None:
        """Return the sizes of the files; None for a URL."""
        from mlspec.engine.reading.files import extent_of_files

        return extent_of_files(self, context)

    def read(self, context: Context) -> ibis.Table:
        """Return the rows, every column as text."""
        from mlspec.engine.reading.files import all_rows

        self.columns(context)
        return all_rows(self, context)

    def read_files(self, files: Sequence[File], context: Context, *, named: bool = True) -> ibis.Table:
        """Return the rows of some files, every column as text."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.file_names import note_names
        from mlspec.engine.reading.files import files_of, partitions_of
        from mlspec.engine.reading.lines import LONGEST
        from mlspec.engine.reading.partitions import FILE
        from mlspec.engine.reading.places import name_of
        from mlspec.engine.sql import file_list, literal

        folders, first = partitions_of(self, context), files_of(self, context)[0]
        names = self._header(first, name_of(first, context, folders.root))
        options = {
            "header": "true",
            "auto_detect": "false",
            "strict_mode": "true",
            "store_rejects": "true",
            "delim": literal(self.delimiter),
            "quote": literal(self.quote),
            "escape": literal(self.quote),
            "encoding": literal(self.encoding),
            "max_line_size": str(LONGEST),
            "buffer_size": str(2 * LONGEST),
            "hive_partitioning": "false",
            "nullstr": "[" + ", ".join(map(literal, self.nulls)) + "]",
            "columns": "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names) + "}",
        }
        if folders.columns or named:
            options["filename"] = literal(FILE)
        text = ", ".join(f"{key} = {value}" for key, value in options.items())
        connection = database(context)
        note_names(connection.con, files, context, folders.root)
        found: ibis.Table = connection.sql(
            f"SELECT {folders.chosen(named=named)} FROM read_csv({file_list(files)}, {text})",
            dialect="duckdb",
        )
        return found

    def unreadable(self, table: ibis.Table) -> tuple[Unreadable, ...]:
        """Return what the reader rejected in its last pass.

        Raises:
            StepError: a quote swallowed whole lines, or a line is longer than 16 MiB.
        """
        from mlspec.engine.reading.together import together

        return together(self.unreadable_by_file(table).values())

    def unreadable_by_file(self, table: ibis.Table) -> Mapping[File, tuple[Unreadable, ...]]:
        """Return the same of each file apart."""
        from mlspec.engine.reading.csv_rejects import csv_rejects
        from mlspec.engine.reading.file_names import noted_names

        connection = table.get_backend().con
        return csv_rejects(connection, self._records, noted_names(connection))

    def look_again(self, context: Context) -> None:
        """Read the files with Python's csv module, for the line that DuckDB gave up on.

        Raises:
            StepError: a line ends otherwise than those before it, or is too long.
        """
        from mlspec.engine.reading.files import files_of
        from mlspec.engine.reading.places import name_of, root_of

        root = root_of(self.path, context)
        for file in files_of(self, context):
            for _ in self._records(file, name_of(file, context, root)):
                pass

    def _records(self, file: File, name: str) -> Iterator[Record]:
        from mlspec.engine.reading.csv_records import csv_records

        return csv_records(file, name, CODECS[self.encoding], delimiter=self.delimiter, quote=self.quote)

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files."""
        from mlspec.engine.reading.files import fingerprint_of_files

        return fingerprint_of_files(self, context)
