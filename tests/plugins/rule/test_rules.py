"""Each rule against pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlspec.plugins.rule.expression import Expression
from mlspec.plugins.rule.in_range import InRange
from mlspec.plugins.rule.not_null import NotNull
from mlspec.plugins.rule.one_of import OneOf
from mlspec.plugins.rule.unique import Unique

from mlspec.engine.graph.moments import first
from mlspec.errors import StepError
from mlspec.sdk.rule import Rule, Verdict
from tests.tables import table


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(1)
    number = random.integers(-5, 6, 500).astype(float)
    number[random.random(500) < 0.1] = np.nan
    text = random.choice(["a", "b", "c"], 500).astype(object)
    text[random.random(500) < 0.1] = None
    return pd.DataFrame(
        {"mlspec_row": range(500), "number": number, "text": text, "code": random.integers(0, 3, 500)}
    )


def judged(rule: Rule, rows: pd.DataFrame) -> tuple[Verdict, list[int]]:
    given = table(rows)
    return rule.verdict(first(given, rule.aggregates(given))), sorted(
        rule.failing(given).execute()["mlspec_row"]
    )


def check(rule: Rule, rows: pd.DataFrame, broken: pd.Series, looked_at: int) -> None:
    verdict, failing = judged(rule, rows)
    assert failing == list(rows.index[broken])
    assert (verdict.rows, verdict.failing) == (looked_at, int(broken.sum()))
    assert not verdict.passed


def test_not_null(rows: pd.DataFrame) -> None:
    check(
        NotNull(kind="not_null", columns=("number", "text")),
        rows,
        rows["number"].isna() | rows["text"].isna(),
        500,
    )


def test_in_range_looks_at_numbers_only(rows: pd.DataFrame) -> None:
    valid = int(rows["number"].notna().sum())
    check(
        InRange(kind="in_range", column="number", low=-2, high=3),
        rows,
        (rows["number"] < -2) | (rows["number"] > 3),
        valid,
    )
    check(InRange(kind="in_range", column="number", high=3), rows, rows["number"] > 3, valid)
    with pytest.raises(StepError, match="needs numbers, and 'text' is read as string"):
        judged(InRange(kind="in_range", column="text", low=1), rows)


def test_one_of_compares_as_text(rows: pd.DataFrame) -> None:
    check(
        OneOf(kind="one_of", column="text", values=("a", "b")),
        rows,
        rows["text"] == "c",
        int(rows["text"].notna().sum()),
    )
    check(OneOf.revive({"column": "code", "values": [0, 1]}), rows, rows["code"] == 2, 500)
    numbers = OneOf.revive({"column": "number", "values": [0, 1, "2"]})
    check(
        numbers,
        rows,
        rows["number"].notna() & ~rows["number"].isin([0, 1, 2]),
        int(rows["number"].notna().sum()),
    )


def test_unique_breaks_at_the_repetition(rows: pd.DataFrame) -> None:
    check(Unique(kind="unique", columns=("number", "text")), rows, rows.duplicated(["number", "text"]), 500)


def test_expression(rows: pd.DataFrame) -> None:
    rule = Expression(kind="expression", expr="number >= 0 or code = 1")
    holds = (rows["number"] >= 0) | (rows["code"] == 1)
    judged_rows = rows["number"].notna() | (rows["code"] == 1)
    check(rule, rows, judged_rows & ~holds, int(judged_rows.sum()))


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        (InRange, {"column": "a"}, "low, high or both"),
        (InRange, {"column": "a", "low": 2, "high": 1}, "lies above"),
        (NotNull, {"columns": []}, "at least 1"),
        (OneOf, {"column": "a", "values": []}, "at least 1"),
        (OneOf, {"column": "a", "values": [1.5]}, "valid string"),
        (Expression, {"expr": "a >"}, "SQL condition"),
        (Expression, {"expr": "select 1"}, "one SQL condition"),
        (Expression, {"expr": "a > 1", "where": "drop table x"}, "one SQL condition"),
        (NotNull, {"columns": ["a"], "at_least": 1.5}, "less than or equal to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(kind: type[Rule], options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        kind.revive(options)


def test_columns_of_conditions_are_mentioned() -> None:
    rule = Expression(kind="expression", expr='"hours per week" > 1 and age < 9', where="sex = 'F'")
    assert rule.mentions() == ("hours per week", "age", "sex")


def test_what_is_not_is_counted_like_what_is(rows: pd.DataFrame) -> None:
    told = rows["text"].notna()
    check(Expression(kind="expression", expr="not text = 'a'"), rows, rows["text"] == "a", int(told.sum()))
    check(Expression(kind="expression", expr="text is not null"), rows, ~told, 500)
