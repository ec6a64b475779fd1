"""The lines of a text file, none of them of any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, AnyStr

from mlspec.errors import StepError

LONGEST = 16 * 2**20
"""Bytes that a line may have (characters, where a text is already decoded)."""


def lines(stream: IO[AnyStr], name: str) -> Iterator[AnyStr]:
    """Give lines with their ends, so that no file without line ends fills the memory.

    Args:
        stream: Of bytes, or of text that was opened with `newline=""`.
        name: The file's, for messages.

    Raises:
        StepError: a line is longer than 16 MiB.
    """
    number = 0
    while line := stream.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise too_long(name, number)
        yield line


def too_long(name: str, number: int) -> StepError:
    """Return the fault of a line that is too long to be a row."""
    return StepError(
        f"'{name}' line {number} is longer than {LONGEST} bytes",
        where="data.source",
        fix="look for a quote that is never closed, or for a value that is no text",
    )
