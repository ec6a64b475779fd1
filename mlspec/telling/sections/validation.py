"""What the data was held against."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.figure import figure
from mlspec.telling.html import Html, Part, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.sections.gates import mark
from mlspec.telling.table import table

EXAMPLES = 3
MOST = 500
"""Checks that held which are listed."""


def validation(left: Left) -> Html:
    """Return the checks that failed with example rows, and those that held behind a fold."""
    checks: Sequence[Mapping[str, Any]] = ()
    for step in left.steps("validate"):
        checks = (left.read(step, "report.json") or {}).get("checks") or ()
    if not checks:
        return Html("")
    failed = [check for check in checks if not check["passed"]]
    held = [check for check in checks if check["passed"]]
    head = ("verdict", "check", "rows at fault", "examples")
    parts = [tag("p", f"{len(held)} of {len(checks)} checks of the contract and the rules hold.")]
    if failed:
        parts.append(
            table("Checks that failed", head, [_row(check) for check in failed], numbers=("rows at fault",))
        )
    if held:
        lines = [tag("li", check["text"]) for check in held[:MOST]]
        more = [tag("li", f"and {len(held) - MOST:,} more")] if len(held) > MOST else []
        parts.append(tag("details", tag("summary", f"The {len(held)} that hold"), tag("ul", *lines, *more)))
    return joined(*parts)


def _row(check: Mapping[str, Any]) -> tuple[Part, ...]:
    examples = [
        tag("div", json.dumps(row, ensure_ascii=False, default=str))
        for row in (check.get("examples") or ())[:EXAMPLES]
    ]
    word = "warned" if check["severity"] == "warn" else "failed"
    return (
        mark(False, word),
        check["text"],
        figure(check["failing"]),
        tag("code", *examples) if examples else "",
    )
