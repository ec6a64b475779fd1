"""Has the data changed? Tests on sketches: an error rate, a smallest effect, and "too few rows to say"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.watching._p_values import adjusted, chi_square, exact_share, kolmogorov
from mlspec.engine.watching.seen import Seen

Floats = NDArray[np.float64]
LEAST_EXPECTED = 5.0
"""Rows that each sample must be expected to have in a bucket before chi-square is trusted (Cochran)."""

MOST_ROWS = 2_000_000
"""Rows that a reference's quantiles stand for at most: of larger tables they are taken from a sample."""


@dataclass(frozen=True)
class _Finding:
    what: Literal["values", "nulls"]
    test: str
    effect: float
    p: float
    resolution: float
    """The p-value that a change of just the smallest effect would have got with so many rows."""


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
    unseen with so few rows, the verdict is `too_few_rows` and not `stable`.

    Args:
        reference: As `reference.json`: `{"rows": n, "columns": {name: {"kind": ..., ...}}}`; a column may
            have `rows` of its own, and of one of the kind `datetime` only the nulls are compared.
        seen: What was observed, by column.
        false_alarms: Share (fraction 0-1) of columns told although nothing changed, at most.
        smallest_effect: Distance (fraction 0-1) below which a change is not worth telling: Kolmogorov-Smirnov
            for numbers, total variation for categories, difference of shares for nulls.

    Returns:
        `{"drift", "rows", "reference_rows", "false_alarms", "smallest_effect", "columns": [...]}`; a column
        has `column`, `verdict` (`drift`, `stable`, `too_few_rows`, `not_observed`), `what` (`values` or
        `nulls`), `test`, `effect`, `p`, `adjusted_p`, `rows`.

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
    findings = [
        _column(known[name], int(known[name].get("rows", rows)), seen[name], smallest_effect)
        for name in names
    ]
    rates = adjusted([finding.p for finding in findings])
    told = {
        name: _verdict(name, seen[name].rows, finding, rate, false_alarms, smallest_effect)
        for name, finding, rate in zip(names, findings, rates, strict=True)
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
    name: str, rows: int, finding: _Finding, rate: float, false_alarms: float, smallest_effect: float
) -> dict[str, Any]:
    if rate <= false_alarms and finding.effect >= smallest_effect:
        verdict = "drift"
    else:
        verdict = "too_few_rows" if finding.resolution > false_alarms else "stable"
    return {
        "column": name,
        "verdict": verdict,
        "what": finding.what,
        "test": finding.test,
        "effect": finding.effect,
        "p": finding.p,
        "adjusted_p": rate,
        "rows": rows,
    }


def _column(known: Mapping[str, Any], rows: int, seen: Seen, smallest: float) -> _Finding:
    """Return the stronger of the two things that can change, its p-value paying for both looks."""
    nulls = _nulls(int(known["nulls"]), rows, seen, smallest)
    values = _values(known, rows - int(known["nulls"]), seen, smallest)
    if values is None:
        return nulls
    if int(known["nulls"]) + seen.nulls == 0:
        return values
    worst = nulls if (nulls.p, -nulls.effect) < (values.p, -values.effect) else values
    return _Finding(worst.what, worst.test, worst.effect, min(1.0, 2.0 * worst.p), values.resolution)


def _effective(first: float, second: float) -> float:
    return first * second / (first + second) if first and second else 0.0


def _telling(smallest: float) -> float:
    """Return the change that enough rows must be able to show; a tenth where any is worth telling."""
    return smallest or 0.1


def _nulls(known: int, rows: int, seen: Seen, smallest: float) -> _Finding:
    if rows == 0:
        return _Finding("nulls", "null_share", 0.0, 1.0, 1.0)
    effect = abs(seen.nulls / seen.rows - known / rows)
    resolution = chi_square(4.0 * _effective(rows, seen.rows) * _telling(smallest) ** 2, 1)
    return _Finding(
        "nulls", "null_share", effect, exact_share(known, rows, seen.nulls, seen.rows), resolution
    )


def _values(known: Mapping[str, Any], rows: int, seen: Seen, smallest: float) -> _Finding | None:
    here = seen.rows - seen.nulls
    if rows <= 0 or here <= 0:
        return None
    if known["kind"] == "number" and seen.shares is not None:
        return _numbers(np.asarray(known["quantiles"], dtype=np.float64), rows, here, seen, smallest)
    if known["kind"] == "category" and seen.counts is not None:
        return _categories(known, rows, here, seen, smallest)
    return None


def _numbers(grid: Floats, rows: int, here: int, seen: Seen, smallest: float) -> _Finding:
    assert seen.shares is not None
    rows = min(rows, MOST_ROWS)
    points, first = np.unique(grid, return_index=True)
    last = np.append(first[1:], len(grid)) - 1
    steps = max(1, len(grid) - 1)
    below, upto = seen.shares(points)
    # The grid fixes the reference's shares to within a step and a row: only what lies outside counts.
    slack = 1.0 / rows
    gaps = np.concatenate(
        [
            upto - ((last + 1) / steps + slack),
            (last / steps - slack) - upto,
            below - (first / steps + slack),
            ((first - 1) / steps - slack) - below,
        ]
    )
    distance = float(np.clip(gaps.max(), 0.0, 1.0))
    effective = _effective(rows, here)
    p = kolmogorov(max(0.0, distance - seen.rank_error), effective)
    resolution = kolmogorov(max(0.0, _telling(smallest) - seen.rank_error), effective)
    return _Finding("values", "kolmogorov_smirnov", distance, p, resolution)


def _categories(known: Mapping[str, Any], rows: int, here: int, seen: Seen, smallest: float) -> _Finding:
    assert seen.counts is not None
    texts = sorted(known["counts"])
    then = np.array([known["counts"][text] for text in texts] + [known["other"]], dtype=np.float64)
    least, most = seen.counts(texts)
    # A sketch that dropped values gives a range: the point of it that speaks least for a change is taken.
    now = np.clip(then[:-1] * (here / rows), least, most)
    now = np.append(now, max(0.0, here - float(now.sum())))
    then, now = _gathered(then, now)
    if len(then) < 2:
        return _Finding("values", "chi_square", 0.0, 1.0, _resolution(rows, here, smallest, 1))
    effect = float(np.abs(now / now.sum() - then / then.sum()).sum() / 2)
    degrees = len(then) - 1
    if degrees == 1:
        p = exact_share(round(then[0]), rows, round(now[0]), here)
    else:
        pooled = (then + now) / (rows + here)
        p = chi_square(
            float(
                ((then - rows * pooled) ** 2 / (rows * pooled)).sum()
                + ((now - here * pooled) ** 2 / (here * pooled)).sum()
            ),
            degrees,
        )
    return _Finding(
        "values",
        "chi_square" if degrees > 1 else "exact_share",
        effect,
        p,
        _resolution(rows, here, smallest, degrees),
    )


def _resolution(rows: int, here: int, smallest: float, degrees: int) -> float:
    # By Cauchy and Schwarz a total variation of e gives a statistic of at least 4 e^2 (effective rows).
    return chi_square(4.0 * _effective(rows, here) * _telling(smallest) ** 2, degrees)


def _gathered(then: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Put what is rare in both samples into one bucket with all that the reference does not know (the last).

    Which values the reference knows depends on its own luck where values are many, so the unknown ones are no
    bucket alone; what is rare is told from both samples together, which favours neither.
    """
    pooled = then + now
    share = min(then.sum(), now.sum()) / pooled.sum()
    order = np.argsort(-pooled[:-1], kind="stable")
    kept = max(1, int((pooled[:-1] * share >= LEAST_EXPECTED).sum()))
    if kept > 1 and 0 < (pooled[order[kept:]].sum() + pooled[-1]) * share < LEAST_EXPECTED:
        kept -= 1  # the rest is too small alone: the smallest of the common ones joins it
    common, rare = order[:kept], np.append(order[kept:], len(pooled) - 1)
    if pooled[rare].sum() == 0:
        return then[common], now[common]
    return np.append(then[common], then[rare].sum()), np.append(now[common], now[rare].sum())
