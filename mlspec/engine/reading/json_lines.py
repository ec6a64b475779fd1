"""Lines of JSON as they stand in files: the keys of the first ones, and those that DuckDB could not read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.engine.reading.lines import lines
from mlspec.engine.reading.unpacked import unpacked
from mlspec.errors import StepError

if TYPE_CHECKING:
    from mlspec.engine.reading.remote import Remote

LOOKED_AT = 1000
"""Lines of the first file whose keys name the columns."""
BLANK = b" \t\r\n"


def first_keys(file: Path | Remote, name: str) -> tuple[str, ...]:
    """Return the keys of a file's first lines in their order; what is no object there is a reject later.

    Raises:
        StepError: the file is of another form, such as one array, or none of these lines is an object.
    """
    keys: dict[str, None] = {}
    first = b""
    with unpacked(file, name) as stream:
        for number, line in enumerate(itertools.islice(lines(stream, name), LOOKED_AT)):
            if number == 0:
                _check_form(line, name)
                first = line
            keys.update(dict.fromkeys(_keys(line)))
    if not keys and first.decode("utf-8", "ignore").encode() != first:
        raise StepError(f"'{name}' is not UTF-8 text", where="data.source.path", fix="save it as UTF-8")
    if not keys:
        raise StepError(
            f"'{name}' holds no JSON object in its first lines",
            where="data.source.path",
            fix="one object a line is expected",
        )
    return tuple(keys)


def records(files: Mapping[Path, str]) -> Iterator[tuple[str, int, str]]:
    """Give every line of some files that is not blank: its file's name, its 1-based number, its text, cut.

    Args:
        files: In their order, with their names.
    """
    for file, name in files.items():
        with unpacked(file, name) as stream:
            for number, line in enumerate(lines(stream, name), 1):
                if line.strip(BLANK):
                    yield name, number, line[:200].strip(BLANK).decode("utf-8", "backslashreplace")


def shown(files: Mapping[Path, str], places: Mapping[int, Any]) -> dict[int, str]:
    """Return records by their 1-based places, as examples of rejects show them."""
    wanted, last = dict(places), max(places, default=0)
    return {
        place: f"{name} line {number}: {text}"
        for place, (name, number, text) in enumerate(itertools.islice(records(files), last), 1)
        if place in wanted
    }


def _check_form(line: bytes, name: str) -> None:
    where = "data.source.path"
    if line.startswith(b"\xef\xbb\xbf"):
        raise StepError(
            f"'{name}' begins with a byte order mark", where=where, fix="save it as UTF-8 without one"
        )
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line[:4]:
        raise StepError(f"'{name}' is UTF-16 text", where=where, fix="save it as UTF-8")
    start = line.strip(BLANK)
    if start.startswith(b"["):
        raise StepError(
            f"'{name}' begins with '[': it is an array, and one object a line is expected",
            where=where,
            fix="write its objects on a line each: jq -c '.[]'",
        )
    if start == b"{":
        raise StepError(
            f"the first object of '{name}' has several lines, and one object a line is expected",
            where=where,
            fix="write its objects on a line each: jq -c .",
        )


def _keys(line: bytes) -> tuple[str, ...]:
    try:
        value = json.loads(line.decode("utf-8"))
        if not isinstance(value, dict):
            return ()
        "".join(value).encode("utf-8")  # a lone surrogate is in no text
    except (ValueError, RecursionError):
        return ()
    return tuple(value)
