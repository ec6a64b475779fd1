"""What a first spec says of the files that it starts from."""

from __future__ import annotations

import codecs
import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlspec.engine.reading.remote import Remote


def options_of(text: str, folder: Path) -> tuple[dict[str, Any], str]:
    """Return the options of a source of some files, and a name for what is made of them.

    Args:
        text: A file, a folder of them, or the URL of one.
        folder: Where the spec will lie: its paths start there.

    Raises:
        MissingError: there is nothing at the place, or it is not within reach.
        UsageError: the files are of no known kind, or of several.
    """
    from mlspec.engine.reading.kind_of import bare

    kind, first, hive = _looked_at(text)
    options: dict[str, Any] = {"kind": kind, "path": text if "://" in text else relative(text, folder)}
    if hive:
        options["hive"] = True
    if kind == "csv":
        usual = {"delimiter": ",", "encoding": "utf-8"}
        seen = {"delimiter": _delimiter(first), "encoding": _encoding(first)}
        options |= {key: value for key, value in seen.items() if value != usual[key]}
    return options, bare(Path(text.rstrip("/")))


def relative(text: str, folder: Path) -> str:
    """Return a path of this machine as a spec in a folder names it."""
    return Path(os.path.relpath(Path(text).resolve(), folder.resolve())).as_posix()


def _looked_at(text: str) -> tuple[str, Path | Remote, bool]:
    """Return the kind of a file or of the files of a folder, the first of them, and whether folders below
    are columns.

    Raises:
        UsageError: they are of no known kind, or of several.
    """
    from mlspec.engine.reading.kind_of import kind_of, suffixes
    from mlspec.errors import UsageError

    files, root = _files(text)
    found: dict[str, list[Path | Remote]] = {}
    for file in files:
        found.setdefault(kind_of(file.name) or "", []).append(file)
    known = sorted(kind for kind in found if kind)
    name = PurePath(text.rstrip("/")).name
    if not known:
        databases = "a SQLite or DuckDB file, which --table goes with"
        raise UsageError(
            f"'{name}' is of no known kind", fix=f"one of {', '.join(suffixes())}, or {databases}"
        )
    if len(known) > 1:
        what = f"the folder '{name}' holds files of several kinds: {', '.join(known)}"
        raise UsageError(what, fix="name a folder that holds one of them")
    of_kind = found[known[0]]
    folders = {part for file in of_kind for part in file.relative_to(root).parts[:-1]}
    return known[0], of_kind[0], any("=" in part for part in folders)


def _files(text: str) -> tuple[list[Path | Remote], Any]:
    """Return the files of a place, without hidden ones, and the folder that their paths start from."""
    from mlspec.errors import MissingError

    if "://" in text:
        from mlspec.engine.reading.kind_of import suffixes
        from mlspec.engine.reading.remote import remote_places, remote_root

        return list(remote_places(text, tuple(suffixes()))), remote_root(text)
    place = Path(text)
    if not place.exists():
        raise MissingError(f"there is no file '{place}'", fix="check the path after --from")
    if not place.is_dir():
        return [place], place.parent
    inside = [file for file in sorted(place.rglob("*")) if file.is_file()]
    hidden = [file for file in inside if any(part[0] in "._" for part in file.relative_to(place).parts)]
    return [file for file in inside if file not in set(hidden)], place


def _encoding(file: Path | Remote) -> str:
    """Return how bytes become text: utf-16 by its mark, utf-8 where that fits the start, else latin-1."""
    from mlspec.engine.reading.unpacked import unpacked

    with unpacked(file, file.name) as stream:
        start = stream.read(2**26)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _delimiter(file: Path | Remote) -> str:
    """Return the sign between a header's values: a comma, or another usual one where there is none."""
    from mlspec.engine.reading.unpacked import unpacked

    with unpacked(file, file.name) as stream:
        header = stream.read(2**20).partition(b"\n")[0].decode("latin-1")
    if "," in header and ".tsv" not in file.name.lower():
        return ","
    return max("\t;|,", key=header.count) if any(sign in header for sign in "\t;|") else ","
