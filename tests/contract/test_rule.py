"""What every rule must do, by existing."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from mlspec import registry
from mlspec.engine.graph.moments import first
from mlspec.engine.reading.condition import condition
from mlspec.sdk.rule import Rule
from tests.tables import table

EXAMPLES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("rule")
    for place, example in enumerate(registry.find("rule", kind).examples())
]
ROWS = pa.table(
    {
        "mlspec_row": list(range(9)),
        "number": [0.0, 1.0, 1.0, -1.0, 7.0, None, None, 5.0, 5.0],
        "text": ["a", "b", "b", "c", "a", "a", None, None, None],
    }
)


def looked_at(rule: Rule, rows: ibis.Table) -> ibis.Table:
    return rows.filter(condition(rows, rule.where)) if rule.where else rows


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_verdict_counts_what_failing_returns(rule: Rule) -> None:
    rows = looked_at(rule, table(ROWS))
    verdict = rule.verdict(first(rows, rule.aggregates(rows)))
    failing = rule.failing(rows).execute()
    assert verdict.failing == len(failing) > 0
    assert verdict.failing <= verdict.rows <= len(ROWS)
    assert str(verdict.failing) in verdict.text and str(verdict.rows) in verdict.text
    assert {"mlspec_row", "number", "text"} == set(failing.columns)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_passes_at_its_share_and_fails_above(rule: Rule) -> None:
    rows = looked_at(rule, table(ROWS))
    values = first(rows, rule.aggregates(rows))
    found = rule.verdict(values)
    share = 1 - found.failing / found.rows
    assert rule.model_copy(update={"at_least": share}).verdict(values).passed
    assert not rule.model_copy(update={"at_least": min(1.0, share + 0.01)}).verdict(values).passed


@pytest.mark.parametrize("rule", EXAMPLES)
def test_no_rows_break_nothing(rule: Rule) -> None:
    rows = looked_at(rule, table(ROWS.slice(0, 0)))
    verdict = rule.verdict(first(rows, rule.aggregates(rows)))
    assert (verdict.passed, verdict.rows, verdict.failing) == (True, 0, 0)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_name_is_the_users_or_tells_the_rule(rule: Rule) -> None:
    assert rule.id.startswith(rule.kind)
    assert rule.model_copy(update={"name": "mine"}).id == "mine"
    assert all(name in ROWS.column_names for name in rule.mentions())
    assert rule.reads()
