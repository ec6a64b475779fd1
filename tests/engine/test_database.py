"""The database that steps work in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pytest

from mlspec.engine import database as database_file
from mlspec.engine.database import all_threads, database, settle
from mlspec.engine.graph import moments as moments_file
from mlspec.engine.graph.moments import first
from mlspec.sdk.context import Context


def test_more_than_its_memory_goes_to_the_scratch_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "MOST", 64 * 2**20)
    connection = database(Context(tmp_path, scratch=tmp_path)).con
    connection.execute("CREATE TABLE t AS SELECT range AS i, md5(range::VARCHAR) AS s FROM range(2000000)")
    assert list(tmp_path.glob("duckdb-*/*"))
    assert connection.execute("SELECT count(DISTINCT s), sum(i) FROM t").fetchone() == (
        2000000,
        1999999000000,
    )


def test_a_settled_database_reaches_nothing_and_still_spills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "MOST", 64 * 2**20)
    backend = database(Context(tmp_path, scratch=tmp_path))
    settle(backend)
    (tmp_path / "t.csv").write_text("a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{tmp_path}/t.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/x.db'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(Exception, match=r"disabled|Cannot"):
            backend.con.execute(statement)
    found = backend.con.execute(
        "SELECT max(s) FROM (SELECT md5(range::VARCHAR) AS s FROM range(2000000) ORDER BY s LIMIT 1900000)"
    ).fetchone()
    assert found is not None and found[0].startswith("f")


def test_it_takes_its_part_of_what_the_spec_allows(tmp_path: Path) -> None:
    def limit(memory: int) -> str:
        connection = database(Context(tmp_path, scratch=tmp_path, memory=memory)).con
        return str(connection.execute("SELECT current_setting('memory_limit')").fetchone()[0])

    assert limit(1_000_000_000) == "171.0 MiB"
    assert limit(4_000_000_000) == "1.8 GiB"


def test_a_settled_database_has_its_threads_back_for_a_while(tmp_path: Path) -> None:
    backend = database(Context(tmp_path, scratch=tmp_path))
    backend.con.execute("SET threads = 3")
    backend.con.execute("CREATE TABLE t AS SELECT range AS i FROM range(9)")
    table = backend.table("t")

    def threads() -> int:
        return int(backend.con.execute("SELECT current_setting('threads')").fetchone()[0])

    with all_threads(table):
        assert threads() == 3  # never settled: nothing is changed
    settle(backend)
    assert threads() == 1
    with pytest.raises(ZeroDivisionError), all_threads(table):
        with all_threads(table):
            assert threads() == 3
        assert threads() == 3
        raise ZeroDivisionError
    assert threads() == 1


@pytest.mark.parametrize(
    ("asked", "alike"),
    [
        (lambda t: t.count(), True),
        (lambda t: t.i.nunique(), True),
        (lambda t: (t.x < 3).sum(), True),
        (lambda t: t.x.sum(), False),
        (lambda t: t.x.mean() + t.count(), False),
        (lambda t: t.x.sum().cast("int64"), False),
        (lambda t: t.i.first(), False),
    ],
)
def test_what_depends_on_the_order_of_rows_has_one_thread(
    asked: Any, alike: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[ibis.Table] = []

    @contextmanager
    def noted(table: ibis.Table) -> Iterator[None]:
        used.append(table)
        yield

    monkeypatch.setattr(moments_file, "all_threads", noted)
    table = ibis.memtable({"i": [1, 2], "x": [0.5, 0.25]})
    first(table, {"a": table.count(), "b": asked(table)})
    assert bool(used) is alike
