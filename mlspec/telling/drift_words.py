"""How a report of drift is told, on the terminal and on its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERDICTS = {
    "drift": "drift",
    "too_few_rows": "too few rows to say",
    "stable": "no change",
    "not_observed": "not observed",
}
"""Verdicts in words, the worst first."""
TESTS = {
    "kolmogorov_smirnov": "values, Kolmogorov-Smirnov",
    "mann_whitney": "values, Mann-Whitney",
    "chi_square": "values, chi-square",
    "fisher_exact": "values, exact",
    "null_share": "nulls, exact",
    "wasserstein": "values, Wasserstein",
    "jensen_shannon": "values, Jensen-Shannon",
    "population_stability_index": "values, PSI",
}


def how(column: Mapping[str, Any]) -> str:
    """Return what of a column was compared, and how.

    Args:
        column: As `engine/watching/drift.py` reports it; observed.

    Example:
        >>> how({"test": "wasserstein", "threshold": 2.5}), how({"test": "chi_square"})
        ('values, Wasserstein, told from 2.5', 'values, chi-square')
    """
    threshold = column.get("threshold")
    told = TESTS.get(column["test"], column["test"])
    return told if threshold is None else f"{told}, told from {threshold:g}"


def changed_in(part: Mapping[str, Any]) -> list[str]:
    """Return the columns that changed in a segment, the answers marked as such.

    Args:
        part: As `engine/watching/by_segment.py` reports it.

    Example:
        >>> column = {"column": "label", "part": "answers", "verdict": "drift"}
        >>> changed_in({"columns": [column, {"column": "age", "part": "inputs", "verdict": "stable"}]})
        ['answer: label']
    """
    return [
        column["column"] if column["part"] == "inputs" else f"answer: {column['column']}"
        for column in part["columns"]
        if column["verdict"] == "drift"
    ]
