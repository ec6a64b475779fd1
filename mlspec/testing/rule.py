"""What every rule must do."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa

from mlspec.engine.graph.moments import first
from mlspec.engine.reading.condition import condition
from mlspec.sdk.rule import Rule
from mlspec.testing.check import Check, hold

ROWS = pa.table(
    {
        "mlspec_row": list(range(9)),
        "number": [0.0, 1.0, 1.0, -1.0, 7.0, None, None, 5.0, 5.0],
        "text": ["a", "b", "b", "c", "a", "a", None, None, None],
    }
)
"""What rules are held against: an example names the columns `number` and `text`, and some rows break it."""


def _looked_at(rule: Rule, rows: pa.Table) -> ibis.Table:
    table = ibis.memtable(rows)
    return table.filter(condition(table, rule.where)) if rule.where else table


def _counts_what_it_returns(rule: Rule, folder: Path) -> None:
    rows = _looked_at(rule, ROWS)
    verdict = rule.verdict(first(rows, rule.aggregates(rows)))
    failing = rule.failing(rows).execute()
    hold(len(failing) > 0, "no row breaks it: its example must be one that some rows break")
    hold(
        verdict.failing == len(failing),
        f"its verdict counts {verdict.failing} failing rows, and `failing` returns {len(failing)}",
    )
    hold(verdict.failing <= verdict.rows <= len(ROWS), f"it counts {verdict.rows} rows of {len(ROWS)}")
    told = all(str(number) in verdict.text for number in (verdict.failing, verdict.rows))
    hold(told, f"its text does not name both numbers: {verdict.text}")
    hold(set(failing.columns) == set(ROWS.column_names), f"`failing` returns {', '.join(failing.columns)}")


def _keeps_to_its_share(rule: Rule, folder: Path) -> None:
    rows = _looked_at(rule, ROWS)
    values = first(rows, rule.aggregates(rows))
    found = rule.verdict(values)
    share = 1 - found.failing / found.rows
    at, above = (rule.model_copy(update={"at_least": least}) for least in (share, min(1.0, share + 0.01)))
    hold(at.verdict(values).passed, f"it fails at a share of {share:.3f}, which holds")
    hold(not above.verdict(values).passed, f"it passes above a share of {share:.3f}, which is all that holds")


def _takes_no_rows(rule: Rule, folder: Path) -> None:
    rows = _looked_at(rule, ROWS.slice(0, 0))
    verdict = rule.verdict(first(rows, rule.aggregates(rows)))
    told = (verdict.passed, verdict.rows, verdict.failing)
    hold(told == (True, 0, 0), f"of no rows it says {told}, and must say (True, 0, 0)")


def _has_a_name(rule: Rule, folder: Path) -> None:
    hold(rule.id.startswith(rule.kind), f"it is called '{rule.id}', which does not start with '{rule.kind}'")
    hold(rule.model_copy(update={"name": "mine"}).id == "mine", "a user's own name for it is not used")
    strange = [name for name in rule.mentions() if name not in ROWS.column_names]
    hold(not strange, f"it mentions {', '.join(strange)}: no column of the rows")
    hold(rule.reads(), "it reads no column")


CHECKS = (
    Check(
        "counts the rows that it returns",
        "count in `aggregates` what `failing` filters",
        _counts_what_it_returns,
    ),
    Check("passes at its share and fails above", "compare with `at_least` in `verdict`", _keeps_to_its_share),
    Check("takes no rows", "sums of no rows are null: count them as 0", _takes_no_rows),
    Check("has a name, and names its columns", "look at `mentions` and `reads`", _has_a_name),
)
