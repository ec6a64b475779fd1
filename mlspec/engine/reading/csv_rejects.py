"""The rows of CSV files that DuckDB could not take apart, told as they stand in the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlspec.engine.reading.csv_records import Record
from mlspec.engine.reading.lines import too_long
from mlspec.engine.reading.together import SHOWN
from mlspec.errors import StepError
from mlspec.sdk.source import Unreadable

QUOTE, ENCODING, LONG = "UNQUOTED VALUE", "INVALID ENCODING", "LINE SIZE OVER MAXIMUM"
TOLD = {
    "MISSING COLUMNS": "too few values for the header",
    "TOO MANY COLUMNS": "too many values for the header",
    ENCODING: "bytes that are not text in this encoding",
    QUOTE: "text behind a closing quote",
}
"""What DuckDB calls a fault, in words."""
# A row may have several faults; its line is DuckDB's count of records, empty lines among them. What DuckDB
# shows as the row's text is often another row's.
FAULTS = (
    "SELECT f.file_path, e.line, arg_min(e.error_type, CASE e.error_type "
    f"WHEN '{LONG}' THEN 0 WHEN '{QUOTE}' THEN 1 WHEN '{ENCODING}' THEN 2 ELSE 3 END) "
    "FROM reject_errors e JOIN reject_scans f USING (scan_id, file_id) "
    "WHERE scan_id = (SELECT max(scan_id) FROM reject_scans) "
    "GROUP BY f.file_path, e.line ORDER BY f.file_path, e.line"
)
Records = Callable[[Path, str], Iterator[Record]]
"""Gives the records of a file; told its name for messages."""


@dataclass
class _Rejects:
    """What is known of the rejects of a file."""

    records: Records
    names: Mapping[Path, str]
    rows: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, faults: Mapping[int, str]) -> None:
        """Take in the faults of a file, by the place of their records."""
        file = Path(path)
        wanted = {}
        for place, fault in faults.items():
            reason = TOLD.get(fault, fault.lower())
            self.rows[reason] = self.rows.get(reason, 0) + 1
            if fault in (QUOTE, LONG) or self.rows[reason] <= SHOWN:
                wanted[place] = fault
        if wanted:
            self._look(file, wanted)

    def found(self) -> tuple[Unreadable, ...]:
        """Return them by reason."""
        return tuple(
            Unreadable(reason, count, tuple(self.examples.get(reason, ())))
            for reason, count in sorted(self.rows.items())
        )

    def _look(self, file: Path, wanted: Mapping[int, str]) -> None:
        last, name = max(wanted), self.names[file]
        for place, record in enumerate(self.records(file, name), 1):
            fault = wanted.get(place)
            if fault == LONG:
                raise too_long(name, record.line)
            if fault == QUOTE and record.lines > 1:
                raise _swallowed(name, record.line)
            if fault is not None:
                shown = self.examples.setdefault(TOLD.get(fault, fault.lower()), [])
                if len(shown) < SHOWN:
                    text = record.text.encode("utf-8", "backslashreplace").decode()
                    shown.append(f"{name} line {record.line}: {text}")
            if place > last:
                # One more than wanted: a record that ends otherwise shows behind itself.
                return


def csv_rejects(
    connection: Any, records: Records, names: Mapping[Path, str]
) -> dict[Path, tuple[Unreadable, ...]]:
    """Return what DuckDB's CSV reader rejected in its last pass, by file.

    Args:
        connection: The DuckDB that read the files.
        records: Reads a file once more, record by record.
        names: What the files are called in messages.

    Raises:
        StepError: a quote swallowed whole lines, so that nobody can tell how many rows were lost; a line is
            longer than 16 MiB; or lines end in different ways.
    """
    query = connection.execute(FAULTS)
    by_file: dict[Path, tuple[Unreadable, ...]] = {}
    before: str | None = None
    faults: dict[int, str] = {}

    def close() -> None:
        if before is not None:
            rejects = _Rejects(records, names)
            rejects.add(before, faults)
            by_file[Path(before)] = rejects.found()

    while batch := query.fetchmany(10_000):
        for path, place, fault in batch:
            if path != before:
                close()
                before, faults = path, {}
            faults[int(place)] = fault
    close()
    return {file: by_file[file] for file in names if file in by_file}


def _swallowed(name: str, line: int) -> StepError:
    return StepError(
        f"'{name}' line {line} opens a quote that is not closed rightly: "
        "the lines behind it cannot be told apart",
        where="data.source",
        fix="mend the quote in that line, or set quote: to a sign that the file does not use",
    )
