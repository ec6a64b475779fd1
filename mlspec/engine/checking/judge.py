"""From counts to a verdict."""

from __future__ import annotations

from mlspec.sdk.rule import Rule, Verdict


def judge(rule: Rule, rows: int, failing: int, what: str) -> Verdict:
    """Return whether enough rows obey a rule.

    Args:
        rule: Holds `at_least`.
        rows: Rows that it looked at.
        failing: Rows that break it.
        what: How such a row breaks it, such as `are null`.
    """
    # at_least is a decimal fraction: 0.9 of 10 rows is 9, whatever binary makes of it.
    passed = rows - failing >= rule.at_least * rows - 1e-9 * max(rows, 1)
    text = f"{failing} of {rows} rows {what}"
    if failing and rule.at_least < 1:
        text += f"; {1 - failing / rows:.4%} obey, and at least {rule.at_least:.4%} must"
    return Verdict(passed, rows, failing, text)
