"""What a database tells of its query while it works."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mlspec.engine import beat as beat_file
from mlspec.engine.pulse import pulse
from mlspec.engine.reading.reading import Reading
from mlspec.sdk.context import Context
from tests.bad_files import good_csv


def test_a_long_query_tells_how_far_it_is_and_no_more_when_it_is_done(tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str]] = []
    context = Context(tmp_path, progress=lambda *words: told.append(words))
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("CREATE TABLE t AS SELECT i FROM range(1000000) t(i)")
    query = "SELECT count(*) FROM t WHERE md5(md5(md5(i::VARCHAR))) < 'x'"
    with pulse(connection, context, 1_000_000, "rows"):
        while len(told) < 3:
            connection.execute(query).fetchall()
    assert all(0 < done <= 1_000_000 and (total, unit) == (1_000_000, "rows") for done, total, unit in told)
    count = len(told)
    connection.execute(query).fetchall()
    assert len(told) == count
    with pulse(connection, context, None, "rows"):
        while len(told) < count + 2:
            connection.execute(query).fetchall()
    assert {(total, unit) for _, total, unit in told[count:]} == {(100.0, "percent")}


def test_a_closed_database_ends_it(tmp_path: Path) -> None:
    connection = duckdb.connect(":memory:")
    with pulse(connection, Context(tmp_path), 1, "rows"):
        connection.close()


def test_reading_tells_bytes_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat_file, "PAUSE", 0.01)
    told: list[tuple[float, float | None, str]] = []
    content = good_csv(rows=1_500_000)
    (tmp_path / "t.csv").write_bytes(content)
    context = Context(tmp_path, scratch=tmp_path, progress=lambda *words: told.append(words))
    source = {"kind": "csv", "path": "t.csv"}
    Reading.of({"source": source, "features": {"n": "number"}}, context)
    assert told and {(total, unit) for _, total, unit in told} == {(len(content), "bytes")}
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
