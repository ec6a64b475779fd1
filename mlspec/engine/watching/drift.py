"""Has the data changed? Tests on sketches: an error rate, a smallest effect, and "too few rows to say"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mlspec.engine.watching._distances import distance
from mlspec.engine.watching._drift_tests import categories, kolmogorov_smirnov, mann_whitney, nulls
from mlspec.engine.watching._finding import Finding
from mlspec.engine.watching._p_values import adjusted, even
from mlspec.engine.watching.seen import Seen


def drift(
    reference: Mapping[str, Any],
    seen: Mapping[str, Seen],
    *,
    false_alarms: float = 0.05,
    smallest_effect: float = 0.1,
) -> dict[str, Any]:
    """Compare what was observed with a reference, column by column.

    A column has drifted when its false discovery rate over all columns (Benjamini-Hochberg) is at most
    `false_alarms` and the change is at least `smallest_effect`. Where a change of that size could have passed
    unseen with so few rows, the verdict is `too_few_rows` and not `stable`. A raw distance takes no part in
    the error rate: it is told from its threshold on, and is `too_few_rows` where unchanged data is expected
    to reach the threshold with so few.

    Args:
        reference: As `reference.json`: `{"rows": n, "columns": {name: {"kind": ..., ...}}}`; a column may
            have `rows` of its own and a `method`, `{"method": word}` of `sdk/drift_method.py`, with the
            `threshold` of a raw distance; of one of the kind `datetime` only the nulls are compared. Columns
            of one `family` (a word) share the error rate among them, each family an equal part of it.
        seen: What was observed, by column.
        false_alarms: Share (fraction 0-1) of columns told although nothing changed, at most.
        smallest_effect: Distance (fraction 0-1) below which a change is not worth telling: Kolmogorov-Smirnov
            for numbers, total variation for categories, difference of shares for nulls.

    Returns:
        `{"drift", "rows", "reference_rows", "false_alarms", "smallest_effect", "columns": [...]}`; a column
        has `column`, `verdict` (`drift`, `stable`, `too_few_rows`, `not_observed`), `what` (`values` or
        `nulls`), `test`, `effect`, `p`, `adjusted_p`, `rows`, of a raw distance its `threshold` (both p are
        None then), and `sampled` where not every value was looked at.

    Example:
        >>> values = np.linspace(0, 1, 1001)
        >>> column = {"kind": "number", "quantiles": list(values), "nulls": 0}
        >>> report = drift({"rows": 5000, "columns": {"x": column}}, {"x": Seen.of_numbers(values * 1.5)})
        >>> [(c["column"], c["verdict"], round(c["effect"], 2)) for c in report["columns"]]
        [('x', 'drift', 0.33)]
    """
    rows = int(reference["rows"])
    known: Mapping[str, Mapping[str, Any]] = reference["columns"]
    names = [name for name in known if name in seen and seen[name].rows > 0]
    looks = {
        name: _looks(known[name], int(known[name].get("rows", rows)), seen[name], smallest_effect)
        for name in names
    }
    tested = [(name, one, one.p) for name in names for one in looks[name] if one.p is not None]
    rates = {
        (name, one): rate
        for (name, one, _), rate in zip(
            tested,
            adjusted(
                [p for _, _, p in tested],
                even([str(known[name].get("family", "")) for name, _, _ in tested]),
            ),
            strict=True,
        )
    }
    told = {
        name: _verdict(
            name,
            seen[name].rows,
            {one: rates.get((name, one)) for one in looks[name]},
            false_alarms,
            smallest_effect,
        )
        for name in names
    }
    columns = [told.get(name) or {"column": name, "verdict": "not_observed", "rows": 0} for name in known]
    return {
        "drift": any(column["verdict"] == "drift" for column in columns),
        "rows": max((seen[name].rows for name in names), default=0),
        "reference_rows": rows,
        "false_alarms": false_alarms,
        "smallest_effect": smallest_effect,
        "columns": columns,
    }


def _verdict(
    name: str,
    rows: int,
    looks: Mapping[Finding, float | None],
    false_alarms: float,
    smallest_effect: float,
) -> dict[str, Any]:
    """Return the report of a column: of its looks the first that tells of a change, else the first."""
    told = {finding: _word(finding, rate, false_alarms, smallest_effect) for finding, rate in looks.items()}
    chosen = next((finding for finding, word in told.items() if word == "drift"), next(iter(told)))
    found = {
        "column": name,
        "verdict": told[chosen],
        "what": chosen.what,
        "test": chosen.test,
        "effect": chosen.effect,
        "p": chosen.p,
        "adjusted_p": looks[chosen],
        "rows": rows,
    }
    more = {"threshold": chosen.threshold, "sampled": chosen.sampled}
    return found | {key: value for key, value in more.items() if value is not None}


def _word(finding: Finding, rate: float | None, false_alarms: float, smallest_effect: float) -> str:
    if finding.threshold is not None:
        if finding.resolution >= finding.threshold:
            return "too_few_rows"
        return "drift" if finding.effect >= finding.threshold else "stable"
    if rate is not None and rate <= false_alarms and finding.effect >= smallest_effect:
        return "drift"
    return "too_few_rows" if finding.resolution > false_alarms else "stable"


def _looks(known: Mapping[str, Any], rows: int, seen: Seen, smallest: float) -> tuple[Finding, ...]:
    """Return what is told of a column: a test, or a distance and the test of its nulls beside it.

    Of the two things that a test looks at the stronger one is told, its p-value paying for both looks.
    """
    missing = nulls(int(known["nulls"]), rows, seen, smallest)
    values = _values(known, rows - int(known["nulls"]), seen, smallest)
    if values is None:
        return (missing,)
    if int(known["nulls"]) + seen.nulls == 0:
        return (values,)
    if values.p is None or missing.p is None:
        return values, missing
    worst = missing if (missing.p, -missing.effect) < (values.p, -values.effect) else values
    return (replace(worst, p=min(1.0, 2.0 * (worst.p or 0.0)), resolution=values.resolution),)


def _values(known: Mapping[str, Any], rows: int, seen: Seen, smallest: float) -> Finding | None:
    here = seen.rows - seen.nulls
    if rows <= 0 or here <= 0 or known["kind"] not in ("number", "category"):
        return None
    asked = known.get("method") or {}
    if asked.get("threshold") is not None:
        return distance(known, rows, here, seen)
    if known["kind"] == "category":
        return None if seen.counts is None else categories(known, rows, here, seen, smallest)
    if seen.shares is None:
        return None
    grid = np.asarray(known["quantiles"], dtype=np.float64)
    # Without values there is nothing to rank: told by the test's name in the report.
    ranked = asked.get("method") == "mann_whitney" and seen.values is not None and len(seen.values) > 0
    return (mann_whitney if ranked else kolmogorov_smirnov)(grid, rows, here, seen, smallest)
