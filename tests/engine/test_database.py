"""The database that steps work in."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.engine import database as database_file
from mlspec.engine.database import database, settle
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
