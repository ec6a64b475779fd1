"""Conditions of users: what they give, and what they cannot reach."""

from __future__ import annotations

import duckdb
import ibis
import pyarrow as pa
import pytest

from mlspec.engine.reading.condition import condition
from mlspec.errors import StepError
from tests.tables import table

ROWS = pa.table(
    {
        "mlspec_row": [0, 1, 2, 3],
        "number": [1.0, -2.0, None, 7.0],
        "text": ["a", "b", None, "B x"],
        "my col": [1, 2, 3, 4],
        "flag": [True, False, None, True],
        "time": pa.array([0, 10**15, None, 2 * 10**15], pa.timestamp("us", "UTC")),
    }
)
SAYS = (
    "number >= 0",
    "number>=0 and text='a' or flag",
    "text in ('a','b')",
    "text not in ('a')",
    "text is null",
    "number is not null",
    "number between 0 and 5",
    "number not between 0 and 5",
    "text like '%x'",
    "text ilike 'b%'",
    "abs(number) > 1.5",
    "length(text) = 1",
    "lower(text) = 'b x'",
    "upper(text) = 'B'",
    "coalesce(number, 0) = 0",
    "case when number > 0 then text = 'a' else true end",
    '"my col" % 2 = 0',
    "-number > 1",
    "number / 2 > 1",
    '"my col" // 2 = 1',
    "round(number) = 7",
    "floor(number / 2) = 3",
    "ceil(number / 2) = 4",
    "not (number > 0)",
    "text <> 'a'",
    "starts_with(text, 'B')",
    "contains(text, 'x')",
    "regexp_matches(text, '^B')",
    "trim(text) = 'a'",
    "greatest(number, 0) = 0",
    "least(number, 0) = 0",
    "(number > 0) is true",
    "(number > 0) is not true",
    "number > 1e3",
    "flag",
    "not flag",
    "flag is false",
    "year(time) = 2001",
    "month(time) = 9 and day(time) = 9",
    "hour(time) = 1",
    "number + 1 = 2 and number * 2 - 1 = 1",
    "number == 1",
    "number != 1",
)


@pytest.fixture(scope="module")
def rows() -> ibis.Table:
    return table(ROWS)


@pytest.mark.parametrize("text", SAYS)
def test_a_condition_gives_what_duckdb_gives(rows: ibis.Table, text: str) -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("given", ROWS)
    wanted = [
        row[0] for row in connection.execute(f"SELECT {text} FROM given ORDER BY mlspec_row").fetchall()
    ]
    found = (
        rows.select("mlspec_row", found=condition(rows, text))
        .order_by("mlspec_row")
        .to_pyarrow()["found"]
        .to_pylist()
    )
    if text.startswith(("greatest", "least")):  # these two pass over nulls in one and not in the other
        wanted[2] = found[2] = None
    assert found == wanted
    assert len(set(wanted)) > 1


@pytest.mark.parametrize(
    "text",
    [
        "number = (select 1)",
        "exists(select 1)",
        "number in (select number from rows_here)",
        "read_text('/etc/passwd') = 'x'",
        "number > 0; drop table rows_here",
        "select 1",
        "count(*) > 1",
        "sum(number) > 1",
        "row_number() over () > 1",
        "rows_here.number > 1",
        "getenv('HOME') = 'x'",
        "mlspec_row > 0",
        "text collate nocase = 'a'",
        "cast(text as int) > 1",
        "number > $1",
        "number > ?",
        "[1, 2] = [1]",
        "{'a': 1} = 1",
        "text ->> 'a' = 'b'",
        "x -> 1",
        "*",
        "a b c",
        "",
        "text like number",
        "(number, text) = (1, 'a')",
        "text glob 'a*'",
        "number",
        "1 = 1",
        "true",
        "text > 1",
        "year(text) = 3",
        "text = null",
        "trim(both 'a' from text) = 'b'",
        "attach 'x'",
        "copy rows_here to 'x'",
        "pragma version",
        "from 'x.csv'",
        "(" * 200 + "number > 0" + ")" * 200,
        "not " * 70 + "flag",
        "number > 0 union select true",
    ],
)
def test_nothing_else_can_be_said(rows: ibis.Table, text: str) -> None:
    with pytest.raises(StepError):
        condition(rows, text)


def test_a_misspelt_column_is_told_with_the_nearest(rows: ibis.Table) -> None:
    with pytest.raises(StepError, match="names no column of the data: 'nummer'") as told:
        condition(rows, "nummer > 1")
    assert told.value.fix == "did you mean 'number'?"
