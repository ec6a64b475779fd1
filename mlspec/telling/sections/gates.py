"""What had to hold."""

from __future__ import annotations

from mlspec.telling.html import Html, tag
from mlspec.telling.left import Left
from mlspec.telling.table import table


def gates(left: Left) -> Html:
    """Return each gate with its verdict, those that failed first."""
    found = sorted(left.record.gates, key=lambda gate: gate.passed)
    if not found:
        return Html("")
    rows = [(mark(gate.passed), gate.text, gate.export) for gate in found]
    return table("Gates and their verdicts", ("verdict", "gate", "export"), rows)


def mark(passed: bool, otherwise: str = "failed") -> Html:
    """Return a verdict in a word and a colour."""
    return tag("span", "passed" if passed else otherwise, class_=f"mark {'good' if passed else 'bad'}")
