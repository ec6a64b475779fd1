"""The verbs there are."""

from __future__ import annotations

import re
from pathlib import Path

ORDER = (
    "init",
    "validate",
    "plan",
    "run",
    "sweep",
    "compile",
    "score",
    "serve",
    "monitor",
    "accept",
    "why",
    "show",
    "report",
    "board",
    "diff",
    "verify",
    "migrate",
    "schema",
    "plugins",
    "doctor",
    "trust",
    "clean",
)
"""How a user meets them; others follow by name."""
_SUMMARY = re.compile(r'^SUMMARY(?:: str)? = "((?:[^"\\]|\\.)*)"', re.MULTILINE)


def verbs() -> dict[str, str]:
    """Return each verb's line of help. A verb is a file in this folder with a `SUMMARY`; none is imported."""
    found = {}
    for file in Path(__file__).parent.glob("[a-z]*.py"):
        match = _SUMMARY.search(file.read_text("utf-8"))
        if match:
            found[file.stem] = match[1]
    rank = {name: place for place, name in enumerate(ORDER)}
    return {name: found[name] for name in sorted(found, key=lambda name: (rank.get(name, len(ORDER)), name))}
