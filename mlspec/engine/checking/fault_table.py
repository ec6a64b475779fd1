"""A validation report as text that fits a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 60


def fault_table(report: Mapping[str, Any], most: int = 20) -> str:
    """Return what failed as an aligned table: check, severity, rows, failing rows, and an example.

    Args:
        report: The content of `validate`'s `report.json`.
        most: Lines at most.
    """
    failed = [check for check in report["checks"] if not check["passed"]]
    rows: list[Sequence[str]] = [("check", "severity", "rows", "failing", "example")]
    rows += [
        (
            _short(item["id"]),
            item["severity"],
            str(item["rows"]),
            str(item["failing"]),
            _short(_example(item)),
        )
        for item in failed[:most]
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    lines = []
    for check, severity, looked_at, failing, example in rows:
        words = f"{check:<{widths[0]}}  {severity:<{widths[1]}}"
        lines.append(f"{words}  {looked_at:>{widths[2]}}  {failing:>{widths[3]}}  {example}".rstrip())
    if len(failed) > most:
        lines.append(f"... and {len(failed) - most} more")
    return "\n".join(lines)


def _example(check: Mapping[str, Any]) -> str:
    if not check["examples"]:
        return str(check["text"])
    first = check["examples"][0]
    shown = {**first["key"], **first["values"]} or {"row": first["row"]}
    place = "" if first["key"] or "row" in shown else f"row {first['row']}: "
    return place + ", ".join(f"{name}={value!r}" for name, value in shown.items())


def _short(text: str) -> str:
    line = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
