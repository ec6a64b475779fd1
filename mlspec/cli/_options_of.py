"""What a first spec says of files that it found."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import Any


def options_of(place: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """Return the options of a source of some files, and a name for what is made of them.

    Args:
        place: A file, or a folder of them.
        folder: Where the spec will lie: its paths start there.

    Raises:
        MissingError: there is nothing at the place.
        UsageError: the files are of no known kind, or of several.
    """
    from mlspec.engine.reading.kind_of import bare
    from mlspec.errors import MissingError

    if not place.exists():
        raise MissingError(f"there is no file '{place}'", fix="check the path after --from")
    kind, file, hive = _looked_at(place)
    options: dict[str, Any] = {
        "kind": kind,
        "path": Path(os.path.relpath(place.resolve(), folder.resolve())).as_posix(),
    }
    if hive:
        options["hive"] = True
    if kind == "csv":
        usual = {"delimiter": ",", "encoding": "utf-8"}
        seen = {"delimiter": _delimiter(file), "encoding": _encoding(file)}
        options |= {key: value for key, value in seen.items() if value != usual[key]}
    return options, bare(place)


def _looked_at(place: Path) -> tuple[str, Path, bool]:
    """Return the kind of a file or of the files of a folder, the first of them, and whether folders below
    are columns.

    Raises:
        UsageError: they are of no known kind, or of several.
    """
    from mlspec.engine.reading.kind_of import kind_of, suffixes
    from mlspec.errors import UsageError

    inside = (
        (file for file in sorted(place.rglob("*")) if file.is_file()) if place.is_dir() else iter([place])
    )
    seen = [file for file in inside if not any(part[0] in "._" for part in file.relative_to(place).parts)]
    found: dict[str, list[Path]] = {}
    for file in seen:
        found.setdefault(kind_of(file) or "", []).append(file)
    known = sorted(kind for kind in found if kind)
    if not known:
        raise UsageError(f"'{place.name}' is of no known kind", fix=f"one of {', '.join(suffixes())}")
    if len(known) > 1:
        what = f"the folder '{place.name}' holds files of several kinds: {', '.join(known)}"
        raise UsageError(what, fix="name a folder that holds one of them")
    files = found[known[0]]
    folders = {part for file in files for part in file.relative_to(place).parts[:-1]}
    return known[0], files[0], any("=" in part for part in folders)


def _encoding(file: Path) -> str:
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


def _delimiter(file: Path) -> str:
    """Return the sign between a header's values: a comma, or another usual one where there is none."""
    from mlspec.engine.reading.unpacked import unpacked

    with unpacked(file, file.name) as stream:
        header = stream.read(2**20).partition(b"\n")[0].decode("latin-1")
    if "," in header and ".tsv" not in file.name.lower():
        return ","
    return max("\t;|,", key=header.count) if any(sign in header for sign in "\t;|") else ","
