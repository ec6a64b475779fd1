"""`source: {kind: json}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Extent, Unreadable

if TYPE_CHECKING:
    import ibis

WHY = (
    "CASE WHEN json IS NULL THEN 'no whole JSON value' "
    "WHEN json_type(json) <> 'OBJECT' THEN 'no JSON object' "
    "WHEN len(list_distinct(json_keys(json))) <> len(json_keys(json)) THEN 'a key is there twice' "
    "WHEN NOT list_has_all({names}, json_keys(json)) THEN 'a key that the first lines do not have' END"
)


class Json(FileSource):
    """Read JSON lines: one object a line, its keys are the columns; a missing key is a null.

    The first 1,000 lines of the first file name the columns. Lines that are no object, or have a key twice or
    an unknown one, are rejects: counted, shown, and held against `data.max_rejects`.
    """

    parsed: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = tuple(
        end + packed for packed in ("", ".gz", ".zst") for end in (".json", ".jsonl", ".ndjson")
    )

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls(kind="json", path="table.jsonl"),
            cls(kind="json", path="*.jsonl"),
            cls(kind="json", path="packed/table.jsonl.zst"),
            cls(kind="json", path="parts", hive=True),
        )

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the keys of the first lines of the first file, in their order, then the folders' columns."""
        from mlspec.engine.reading.check_columns import check_columns
        from mlspec.engine.reading.files import files_of, partitions_of
        from mlspec.engine.reading.json_lines import first_keys
        from mlspec.engine.reading.places import name_of

        folders, file = partitions_of(self, context), files_of(self, context)[0]
        name = name_of(file, context, folders.root)
        keys = first_keys(file, name)
        return folders.after(check_columns(keys, f"the objects of '{name}'"), f"'{name}'")

    def extent(self, context: Context) -> Extent | None:
        """Return the sizes of the files; None for a URL."""
        from mlspec.engine.reading.files import extent_of_files

        return extent_of_files(self, context)

    def read(self, context: Context) -> ibis.Table:
        """Return the rows, every column as JSON; folders' columns as text."""
        from mlspec.engine.reading.files import all_rows

        return all_rows(self, context)

    def read_files(self, files: Sequence[File], context: Context, *, named: bool = True) -> ibis.Table:
        """Return the rows of some files, every column as JSON."""
        from mlspec.engine.database import database
        from mlspec.engine.reading.file_names import note_names
        from mlspec.engine.reading.files import partitions_of
        from mlspec.engine.reading.lines import LONGEST
        from mlspec.engine.reading.partitions import FILE
        from mlspec.engine.sql import file_list, literal, quote

        folders = partitions_of(self, context)
        names = self.columns(context)
        names = names[: len(names) - len(folders.columns)]
        connection = database(context)
        note_names(connection.con, files, context, folders.root)
        # With more threads, DuckDB 1.5 gives a last line without its line end before the others.
        connection.con.execute("SET threads = 1")
        why = WHY.format(names="[" + ", ".join(map(literal, names)) + "]")
        connection.con.execute(
            f"CREATE VIEW mlspec_json AS SELECT json, {FILE}, {why} AS why FROM "
            f"read_ndjson_objects({file_list(files)}, ignore_errors = true, hive_partitioning = false, "
            f"maximum_object_size = {LONGEST}, filename = {literal(FILE)})"
        )
        values = ", ".join(
            f"json_extract(json, {literal(_pointer(name))}) AS {quote(name)}" for name in names
        )
        found: ibis.Table = connection.sql(
            f"SELECT {folders.chosen(named=named, rest=values)} FROM mlspec_json WHERE why IS NULL",
            dialect="duckdb",
        )
        return found

    def unreadable(self, table: ibis.Table) -> tuple[Unreadable, ...]:
        """Return the lines that are no fit objects, by reason."""
        from mlspec.engine.reading.together import together

        return together(self.unreadable_by_file(table).values())

    def unreadable_by_file(self, table: ibis.Table) -> Mapping[File, tuple[Unreadable, ...]]:
        """Return the same of each file apart."""
        from mlspec.engine.reading.file_names import noted_names
        from mlspec.engine.reading.json_lines import shown
        from mlspec.engine.reading.partitions import FILE

        connection = table.get_backend().con
        rows = connection.execute(
            f"SELECT {FILE}, why, count(*), min(place, 3) FROM (SELECT {FILE}, why, "
            "row_number() OVER () AS place FROM mlspec_json) GROUP BY ALL ORDER BY why"
        ).fetchall()
        found: dict[File, tuple[Unreadable, ...]] = {}
        for file, name in noted_names(connection).items():
            mine = [(why, count, places) for path, why, count, places in rows if path == str(file)]
            before = min((places[0] for _, _, places in mine), default=1) - 1
            lost = [(why, count, [place - before for place in places]) for why, count, places in mine if why]
            lines = shown({file: name}, {place: why for why, _, places in lost for place in places})
            if lost:
                found[file] = tuple(
                    Unreadable(why, count, tuple(lines[place] for place in places))
                    for why, count, places in lost
                )
        return found

    def look_again(self, context: Context) -> None:
        """Go through the lines, for the one that DuckDB gave up on.

        Raises:
            StepError: a line is too long.
        """
        from mlspec.engine.reading.files import files_of
        from mlspec.engine.reading.json_lines import records
        from mlspec.engine.reading.places import name_of, root_of

        root = root_of(self.path, context)
        for _ in records({file: name_of(file, context, root) for file in files_of(self, context)}):
            pass

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return names, sizes and SHA-256 of the files."""
        from mlspec.engine.reading.files import fingerprint_of_files

        return fingerprint_of_files(self, context)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
