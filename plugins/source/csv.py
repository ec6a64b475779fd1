"""`source: {kind: csv}`."""

from __future__ import annotations

from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Unreadable

if TYPE_CHECKING:
    import ibis

Sign = Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r"^[\x01-\x7e]$")]

CODECS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "utf-16": "utf-16"}
LONGEST = 16 * 2**20
"""Bytes a line may have."""
TOLD = {
    "MISSING COLUMNS": "too few values for the header",
    "TOO MANY COLUMNS": "too many values for the header",
    "INVALID ENCODING": "bytes that are not text in this encoding",
    "UNQUOTED VALUE": "text behind a closing quote",
}
"""What DuckDB calls a fault, in words."""


class Csv(FileSource):
    """Read CSV files with a header line; every column comes as text, and the spec says what it holds.

    Ragged rows, bad quotes and bytes of another encoding are rejects: counted, shown, and held against
    `data.max_rejects`. A quote that swallows whole lines ends the run, because nobody can tell how many
    were lost.
    """

    text: ClassVar[bool] = True
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
        from mlspec.engine.reading.unpacked import unpacked

        try:
            # What is no text behind the header is a reject later; only the header must be readable here.
            with (
                unpacked(file, name) as stream,
                io.TextIOWrapper(
                    stream, CODECS[self.encoding], errors="surrogateescape", newline=""
                ) as lines,
            ):
                row = next(
                    csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True), None
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
        return check_columns(tuple(row), f"the header of '{name}'")

    def read(self, context: Context) -> ibis.Table:
        """Return the rows, every column as text."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.files import files_of, here, partitions_of
        from mlspec.engine.reading.partitions import FILE
        from mlspec.engine.reading.places import name_of
        from mlspec.engine.reading.unpacked import check_whole
        from mlspec.engine.sql import file_list, literal

        if self.keeps:
            return here(self, context).read(context)

        folders, files = partitions_of(self, context), files_of(self, context)
        names = self.columns(context)
        names = names[: len(names) - len(folders.columns)]
        for file in files:
            check_whole(file, name_of(file, context, folders.root))
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
        chosen = "*"
        if folders.columns:
            options["filename"] = literal(FILE)
            chosen = f"* EXCLUDE ({FILE}){folders.sql()}"
        text = ", ".join(f"{key} = {value}" for key, value in options.items())
        found: ibis.Table = database(context).sql(
            f"SELECT {chosen} FROM read_csv({file_list(files)}, {text})", dialect="duckdb"
        )
        return found

    def unreadable(self, table: ibis.Table) -> tuple[Unreadable, ...]:
        """Return what the reader rejected in its last pass.

        Raises:
            StepError: a quote swallowed whole lines, or a line is longer than 16 MiB.
        """
        connection = table.get_backend().con
        found = connection.execute(
            "SELECT f.file_path, e.line, min(e.error_type), any_value(e.csv_line), "
            "bool_or(e.error_type = 'UNQUOTED VALUE' "
            "AND regexp_matches(e.csv_line, '[\\r\\n].*[^\\s]', 's')) "
            "FROM reject_errors e JOIN reject_scans f USING (scan_id, file_id) "
            "WHERE scan_id = (SELECT max(scan_id) FROM reject_scans) "
            "GROUP BY f.file_path, e.line, e.line_byte_position ORDER BY f.file_path, e.line_byte_position"
        )
        rows: dict[str, int] = {}
        examples: dict[str, list[str]] = {}
        while batch := found.fetchmany(10_000):
            for path, line, fault, content, swallowed in batch:
                _refuse_lost(File(path).name, line, fault, swallowed)
                reason = TOLD.get(fault, fault.lower())
                rows[reason] = rows.get(reason, 0) + 1
                if rows[reason] <= 3:
                    examples.setdefault(reason, []).append(f"{File(path).name} line {line}: {content[:200]}")
        return tuple(
            Unreadable(reason, count, tuple(examples[reason])) for reason, count in sorted(rows.items())
        )

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files."""
        from mlspec.engine.reading.files import fingerprint_of_files

        return fingerprint_of_files(self, context)


def _refuse_lost(name: str, line: int, fault: str, swallowed: bool) -> None:
    if swallowed:
        raise StepError(
            f"'{name}' line {line} opens a quote that is not closed rightly: "
            "the lines behind it cannot be told apart",
            where="data.source",
            fix="mend the quote in that line, or set quote: to a sign that the file does not use",
        )
    if fault == "LINE SIZE OVER MAXIMUM":
        raise StepError(
            f"'{name}' line {line} is longer than {LONGEST} bytes",
            where="data.source",
            fix="look for a quote that is never closed",
        )
