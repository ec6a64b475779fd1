"""Faults for code review, as SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from mlspec.errors import Fault, Place

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(faults: Sequence[Fault]) -> dict[str, Any]:
    """Return faults as a SARIF log of one run; without faults it says that there is nothing any more.

    Columns count characters. A fault of an override has no file: its message holds the override's own text.

    Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
    """
    from mlspec import __version__
    from mlspec.codes import CODES

    codes = sorted({fault.code for fault in faults})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].partition(". ")[0]},
            "help": {"text": CODES[code]},
        }
        for code in codes
    ]
    driver = {"name": "mlspec", "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(fault, codes.index(fault.code)) for fault in faults],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(fault: Fault, rule: int) -> dict[str, Any]:
    text = fault.what if fault.fix is None else f"{fault.what}; fix: {fault.fix}"
    found: dict[str, Any] = {"ruleId": fault.code, "ruleIndex": rule, "level": "error"}
    others = [place for place in map(_location, fault.others) if place is not None]
    if others:
        found["relatedLocations"] = others
    location = _location(fault.where)
    if location is None:
        where = f"{fault.where}: " if fault.where is not None else ""
        return {**found, "message": {"text": f"{where}{text}"}}
    return {**found, "message": {"text": text}, "locations": [location]}


def _location(where: Place | str | None) -> dict[str, Any] | None:
    """Return a place in a file; None where there is no file, as for an override."""
    document = where.document if isinstance(where, Place) else where
    if document is None or not Path(document).is_file():
        return None
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(document)}}
    if isinstance(where, Place):
        location["region"] = {"startLine": where.line, "startColumn": where.column}
    return {"physicalLocation": location}


def _uri(document: str) -> str:
    """Return a path as the user named it, as a URI reference; below the current folder it is relative."""
    from urllib.parse import quote

    path = PurePath(document)
    here = Path.cwd()
    if path.is_absolute() and path.is_relative_to(here):
        path = path.relative_to(here)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
