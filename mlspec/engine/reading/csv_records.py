"""The records of a CSV file, one by one with Python's csv module: for the few that DuckDB cannot read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlspec.engine.reading.lines import LONGEST, lines
from mlspec.engine.reading.unpacked import unpacked
from mlspec.errors import StepError

if TYPE_CHECKING:
    from mlspec.engine.reading.remote import Remote

ENDS = {"\n": "a line feed", "\r": "a carriage return alone", "\r\n": "a carriage return and a line feed"}


@dataclass(frozen=True)
class Record:
    """One row of a file, or its header."""

    values: tuple[str, ...]
    """Empty for an empty line."""
    line: int
    """The 1-based line on which it begins."""
    lines: int
    """How many lines it has; more than one where a quoted value holds line ends."""
    text: str
    """As it stands there, cut."""


def csv_records(
    file: Path | Remote, name: str, codec: str, *, delimiter: str, quote: str
) -> Iterator[Record]:
    """Give a file's records, empty lines with them.

    Args:
        file: It is unpacked as its name says.
        name: For messages.
        codec: Python's name of the encoding; bytes that are none of its text stay marked.
        delimiter: The sign between two values.
        quote: The sign around values.

    Raises:
        StepError: a record ends otherwise than those before it, or a line or a value is too long.
    """
    before = csv.field_size_limit(LONGEST)
    try:
        with (
            unpacked(file, name) as stream,
            io.TextIOWrapper(stream, codec, errors="surrogateescape", newline="") as text,
        ):
            told = _Lines(lines(text, name))
            line, end = 1, None
            for values in csv.reader(told, delimiter=delimiter, quotechar=quote):
                mine = told.last[len(told.last.rstrip("\r\n")) :]
                if end is not None and mine and mine != end:
                    raise _mixed(name, told.count, mine, end)
                yield Record(tuple(values), line, told.count - line + 1, told.take())
                line, end = told.count + 1, mine
    except csv.Error as error:
        raise StepError(f"'{name}' line {line} cannot be read: {error}", where="data.source") from error
    finally:
        csv.field_size_limit(before)


class _Lines:
    """Passes lines on, and keeps what the reader took for one record."""

    def __init__(self, inner: Iterator[str]) -> None:
        self._inner, self._taken = inner, ""
        self.last, self.count = "", 0

    def __iter__(self) -> Iterator[str]:
        for line in self._inner:
            self.last = line
            self.count += 1
            if len(self._taken) < 200:
                self._taken += line[:200]
            yield line

    def take(self) -> str:
        text, self._taken = self._taken[:200].rstrip("\r\n"), ""
        return text


def _mixed(name: str, line: int, mine: str, end: str) -> StepError:
    return StepError(
        f"'{name}' line {line} ends in {ENDS.get(mine, repr(mine))}, and the lines before it in "
        f"{ENDS.get(end, repr(end))}",
        where="data.source",
        fix="give all lines of the file the same line end",
    )
