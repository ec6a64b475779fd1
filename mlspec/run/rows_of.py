"""How many rows went through a step, as its own files count them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPLITS = ("train", "val", "test")


def rows_of(kind: str, output: Path) -> Mapping[str, int]:
    """Return the counts that a step's folder holds, by what became of the rows; empty where it counts none.

    Args:
        kind: The step's kind, such as `evaluate`.
        output: Its folder.
    """
    if kind == "ingest":
        found = _read(output / "manifest.json")
        return _counts(found, read="rows", rejected="rejected")
    if kind == "validate":
        found = _read(output / "report.json")
        return _counts(found, read="rows", rejected="rejected")
    if kind == "prepare":
        found = _read(output / "ledger.json")
        rejected = found.get("rejected")
        flat = {**found, "rejected": rejected.get("rows") if isinstance(rejected, Mapping) else rejected}
        return _counts(flat, read="read", **{name: name for name in flat if name != "read"})
    if kind == "evaluate":
        return _counts(_read(output / "metrics.json"), scored="rows")
    return {}


def _counts(found: Mapping[str, Any], **names: str) -> dict[str, int]:
    values = {name: found.get(key) for name, key in names.items()}
    return {name: value for name, value in values.items() if type(value) is int}


def _read(file: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, Mapping) else {}
