"""Computed in the database or here: the same statistics, verdicts, splits, features and shards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from mlspec.engine.checking import quantiles
from tests.engine.pushdown.both_ways import FEATURES, hostile_table, options, run, there
from tests.plugins.source.postgres_server import Server, postgres_server

CONDITIONS = (
    "number >= 0",
    "number / 3 > 1 or whole < 2.5",
    "text like 'a%' or text = 'unseen 39'",
    "text < 'b' or text >= 'caf'",
    "length(text) > 3 and trim(text) <> 'a'",
    "round(single) = 1",
    "floor(single) > 0 or ceil(single) < 0",
    "abs(number) between 1 and 1000",
    "code in ('1', '2')",
    "coalesce(number, whole, 0.1) > 0.1",
    "greatest(number, whole) > 50 and least(number, 1) = 1",
    "case when flag = 'true' then number > 1 else number < 1 end",
    "seen >= '1970-06-01' and seen < '2200-01-01T00:00:00Z'",
    "year(seen) > 1970 or month(moment) = 3 or hour(moment) = 1 or day(moment) = 29",
    "regexp_matches(text, '^unseen [0-9]+$')",
    "contains(text, 'n') and starts_with(text, 'un')",
    "whole is not null",
    "not flag = 'true'",
    "id // 7 = 3 or id % 3 = 1",
    "number is null or number = 0",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as found:
        hostile_table(found)
        yield found


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"kind": "expression", "expr": text} for text in CONDITIONS]
    found += [
        {"kind": "unique", "columns": ["number", "text"]},
        {"kind": "unique", "columns": ["group"], "where": "number > 40"},
        {"kind": "not_null", "columns": ["number", "code", "moment"]},
        {"kind": "in_range", "column": "number", "low": -0.09027529589850945, "high": 60.1},
        {"kind": "one_of", "column": "text", "values": ["a", "b", ""]},
        {"kind": "one_of", "column": "id", "values": ["1", "2"]},
    ]
    return [rule | {"severity": "warn"} for rule in found]


def assert_same(one: dict[str, Path], other: dict[str, Path]) -> None:
    """Hold every file of one way against its like; a sign of 0 is no difference."""
    assert list(one) == list(other)
    for name, folder in one.items():
        files = {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()}
        files -= {Path("rows.parquet")}
        assert files == {file.relative_to(other[name]) for file in other[name].rglob("*") if file.is_file()}
        for file in sorted(files):
            here, away = folder / file, other[name] / file
            if file.suffix == ".parquet":
                assert_same_rows(parquet.read_table(here), parquet.read_table(away))
            elif file.name == "provenance.json":
                left, right = (json.loads(path.read_bytes()) for path in (here, away))
                assert left | {"parameters": ""} == right | {"parameters": ""}
            else:
                assert here.read_bytes() == away.read_bytes(), file


def assert_same_rows(one: pa.Table, other: pa.Table) -> None:
    assert set(other.column_names) <= set(one.column_names)
    assert one.num_rows == other.num_rows
    assert one.schema.metadata == other.schema.metadata
    for name in other.column_names:
        left, right = one[name], other[name]
        assert left.type == right.type
        if pa.types.is_floating(left.type):
            left, right = (pc.if_else(pc.is_nan(column), 123.25, column) for column in (left, right))
            assert left.to_pylist() == right.to_pylist()
        else:
            assert left.equals(right), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"split": {"kind": "random", "stratify": False, "train": 0.5, "val": 0.0, "test": 0.5}},
        {"split": {"kind": "hash", "columns": ["group", "flag"]}},
        {"split": {"kind": "time"}},
        {"split": {"kind": "time", "val_from": "1970-01-20", "test_from": "1970-02-01T00:00:00+01:00"}},
        {"split": {"kind": "column", "column": "part"}, "key": ["id", "group"]},
        {"target": {"column": "single", "kind": "number"}},
        {"target": {"column": "group", "kind": "category"}, "max_rejects": 0.2},
        {"sample": 700},
    ],
    ids=["stratified", "random", "hash", "time", "times", "column", "number", "rejects", "sample"],
)
def test_all_three_steps_write_the_same(server: Server, tmp_path: Path, changes: dict[str, Any]) -> None:
    data = options(server)
    for column in (changes.get("target") or {}).get("column"), (changes.get("split") or {}).get("column"):
        data["features"].pop(column, None)
    data |= changes
    here, failed = run(tmp_path / "here", data, rules())
    assert failed is None
    away, failed = run(tmp_path / "there", there(data), rules())
    assert failed is None
    assert_same(here, away)
    assert not (away["ingest"] / "rows.parquet").exists()
    read = set(data["split"].get("columns", ())) | {data["split"].get("column")} - {None}
    needed = {*data["features"], *data["key"], data["target"]["column"], "w", "seen", *read}
    assert set(parquet.read_schema(away["prepare"] / "rows/test.parquet").names) == needed
    report = json.loads((away["validate"] / "report.json").read_bytes())
    assert sum(check["failing"] > 0 for check in report["checks"]) > 20


@pytest.mark.slow
def test_an_order_that_does_not_tell_rows_apart_and_none_at_all(server: Server, tmp_path: Path) -> None:
    for order in (["part", "number"], []):
        data = options(server)
        data["source"]["order_by"] = order
        here, _ = run(tmp_path / "here", data)
        away, failed = run(tmp_path / "there", there(data))
        assert failed is None
        assert_same(here, away)


@pytest.mark.slow
def test_of_many_rows_the_same_are_looked_at_for_quantiles(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantiles, "MOST", 300)
    here, _ = run(tmp_path / "here", options(server), until="ingest")
    away, failed = run(tmp_path / "there", there(options(server)), until="ingest")
    assert failed is None
    assert_same(here, away)
    monkeypatch.undo()
    whole, _ = run(tmp_path / "whole", there(options(server)), until="ingest")
    assert (whole["ingest"] / "statistics.json").read_bytes() != (
        away["ingest"] / "statistics.json"
    ).read_bytes()


@pytest.mark.slow
def test_odd_names_types_and_texts(server: Server, tmp_path: Path) -> None:
    long = "l" * 62
    server.run(
        "DROP TABLE IF EXISTS odd",
        "DROP TYPE IF EXISTS mood",
        "CREATE TYPE mood AS ENUM ('sad', 'Happy')",
        f'CREATE TABLE odd AS SELECT i AS id, i % 3 AS "a ""b; %", \'x\'\'\\\' || i % 4 AS "é", '
        "CASE i % 2 WHEN 0 THEN 'sad' ELSE 'Happy' END::mood AS mood, "
        "('{\"a\": ' || i % 3 || '}')::jsonb AS j, "
        f"'2024-03-31'::timestamp + i * interval '7 min' AS \"{long}1\", "
        f"'2024-03-31'::date + i AS \"{long}2\", i::smallint AS s, i % 2 = 0 AS b, "
        "('c0ffee00-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid AS u, (i / 8.0)::real AS r, "
        "'\\xff'::bytea AS raw, point(1, 2) AS p, i * interval '1 hour' AS took "
        "FROM generate_series(1, 400) AS i",
    )
    times = {"kind": "datetime", "timezone": "Europe/Berlin"}
    kinds = {'a "b; %': "category", "é": "category", "mood": "binary", "j": "category", "s": "number"}
    features: dict[str, Any] = {name: {"kind": kind} for name, kind in kinds.items()}
    features |= {f"{long}1": times, f"{long}2": times, "r": {"kind": "number"}}
    for order in (["id"], ["b", "u"], []):
        changes: dict[str, Any] = {"ignore": ["raw", "p", "took"], "weight": None, "event_time": None}
        source = {"kind": "sql", "url": server.url, "table": f"{server.schema}.odd", "order_by": order}
        target = {"column": "b", "kind": "binary"}
        data = options(server, source=source, target=target, features=features, key=["id", "u"], **changes)
        rule = {
            "kind": "expression",
            "expr": "\"é\" <> 'x''\\2' and \"a \"\"b; %\" in ('1', '2')",
            "at_least": 0,
        }
        here, _ = run(tmp_path / "here", data, [rule])
        away, failed = run(tmp_path / "there", there(data), [rule])
        assert failed is None
        assert_same(here, away)
    _, failed = run(tmp_path / "there", there(data | {"ignore": ["raw", "p"]}), until="ingest")
    assert failed == "ingest: column 'took' holds interval"


@pytest.mark.slow
def test_unreadable_rows_are_the_same_ones_and_told_alike(server: Server, tmp_path: Path) -> None:
    server.run(
        "DROP TABLE IF EXISTS bad",
        "CREATE TABLE bad AS SELECT id, CASE id % 11 WHEN 3 THEN 'Infinity' WHEN 4 THEN 'NaN' WHEN 5 "
        "THEN -2.5 ELSE id END::float8 AS f, "
        "CASE id % 13 WHEN 1 THEN 9007199254740993 WHEN 2 THEN NULL ELSE id END AS i, "
        "CASE id % 17 WHEN 1 THEN 'NaN'::numeric WHEN 2 THEN 1e400 WHEN 3 THEN 9007199254740994 WHEN 4 THEN "
        "-1e-400 WHEN 5 THEN 9007199254740993.5 ELSE id / 3.0 END AS n, "
        "CASE WHEN id % 19 = 0 THEN 'x' || U&'\\FDD0' ELSE 'w' || id % 3 END AS t, "
        "CASE WHEN id % 23 = 0 THEN 'infinity' ELSE '2024-07-01 12:00'::timestamptz + id * interval '1 hour' "
        "END AS z, CASE id % 29 WHEN 0 THEN '-infinity' ELSE '2024-03-31'::timestamp + id * interval '7 min' "
        "END AS l, CASE WHEN id % 31 > 0 THEN (id % 2)::text END AS y, (id % 7 - 1)::float8 AS w "
        "FROM generate_series(1, 400) AS id",
    )
    features: dict[str, Any] = {name: {"kind": "number"} for name in ("f", "i", "n")}
    features |= {"t": {"kind": "category"}, "z": {"kind": "datetime"}}
    features["l"] = {"kind": "datetime", "timezone": "Europe/Berlin"}
    source = {"kind": "sql", "url": server.url, "table": f"{server.schema}.bad", "order_by": ["id"]}
    changes: dict[str, Any] = {"source": source, "features": features, "ignore": [], "event_time": None}
    data = options(server, **changes, target={"column": "y", "kind": "binary"}, max_rejects=0.9)
    here, _ = run(tmp_path / "here", data)
    away, failed = run(tmp_path / "there", there(data))
    assert failed is None
    assert_same(here, away)
    rejects = json.loads((away["ingest"] / "rejects.json").read_bytes())
    reasons = {(item["column"], item["reason"]) for item in rejects["reasons"]}
    assert len(reasons) == 9
    strict = there(data | {"max_rejects": 0.1})
    assert run(tmp_path / "here", data | {"max_rejects": 0.1})[1] == run(tmp_path / "there", strict)[1]


def test_rows_that_changed_since_are_refused(server: Server, tmp_path: Path) -> None:
    server.run("DROP TABLE IF EXISTS living", "CREATE TABLE living AS SELECT * FROM hostile LIMIT 300")
    data = options(server)
    data["source"]["table"] = f"{server.schema}.living"
    from mlspec.engine.files import read_json
    from mlspec.engine.pushdown.open_reading import open_reading
    from mlspec.errors import StepError
    from mlspec.sdk.context import Context

    done, failed = run(tmp_path / "there", there(data), until="ingest")
    assert failed is None
    manifest, context = read_json(done["ingest"] / "manifest.json"), Context(tmp_path, step="validate")
    with open_reading(there(data), done["ingest"], manifest, context) as reading:
        server.run("DELETE FROM living WHERE id % 50 = 0")
        # What is open is one snapshot.
        assert reading.table.count().to_pyarrow().as_py() == 300
    with pytest.raises(StepError, match="the rows in the database changed since 'ingest'"):
        open_reading(there(data), done["ingest"], manifest, context)


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ({"text": {"kind": "number"}}, "column 'text' holds text, and texts are read as numbers only here"),
        ({"text": {"kind": "datetime", "timezone": "UTC"}}, "texts are read as times only here"),
        ({"number": {"kind": "category"}}, "cannot be read as category"),
        ({"flag": {"kind": "number"}}, "cannot be read as number"),
        ({"local": {"kind": "datetime"}}, "timestamps without a zone"),
    ],
)
def test_what_a_column_cannot_be_is_told_before_any_work(
    server: Server, tmp_path: Path, features: dict[str, Any], told: str
) -> None:
    _, failed = run(tmp_path, there(options(server, features=features)), until="ingest")
    assert failed is not None and told in failed


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"kind": "expression", "expr": "lower(text) = 'a'"}, "'lower'"),
        ({"kind": "expression", "expr": "text ilike 'a%'"}, "'ilike'"),
        ({"kind": "expression", "expr": "w % 2 = 0"}, "a remainder of floats"),
        ({"kind": "expression", "expr": "round(number, 2) = 1"}, "rounding to decimal places"),
        ({"kind": "expression", "expr": "regexp_matches(text, '\\w')"}, "the pattern"),
        ({"kind": "expression", "expr": "text like 'a\\%'"}, "a backslash"),
        ({"kind": "one_of", "column": "w", "values": ["1"]}, "float64 as string"),
        ({"kind": "not_null", "columns": ["w"], "where": "upper(text) = 'A'"}, "'upper'"),
    ],
)
def test_a_rule_that_would_mean_something_else_there_is_refused(
    server: Server, tmp_path: Path, rule: dict[str, Any], told: str
) -> None:
    data = there(options(server, features={"number": FEATURES["number"]}))
    _, failed = run(tmp_path, data, [rule], until="validate")
    assert failed is not None and told in failed and "in the database" in failed


def test_a_hash_of_floats_is_refused(server: Server, tmp_path: Path) -> None:
    data = options(server, features={"number": FEATURES["number"]})
    data["split"] = {"kind": "hash", "columns": ["w"]}
    _, failed = run(tmp_path, there(data))
    assert failed is not None and "float64 as string cannot be computed in the database" in failed
