"""What a server is asked, as its own statement log tells: aggregates, and each needed column once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.pushdown.both_ways import hostile_table, options, run, there
from tests.plugins.source.postgres_server import Server, postgres_server

LOG = "-c log_statement=all"
"""Has the server write each statement of a connection into its log."""
FILE = "/proc/self/fd/2"
"""The log, as a process of the server has it."""
FEATURES = {"number": {"kind": "number", "impute": "median"}, "text": {"kind": "category"}}
RULES = [
    {"kind": "unique", "columns": ["id"]},
    {"kind": "in_range", "column": "cents", "low": -(10**10)},
]
QUANTILES = 2_002
"""Values between which a thousand steps of a column lie."""
FEW = 60
"""Rows that an answer of aggregates has at most: a line for each value of a category."""


@pytest.fixture
def server() -> Iterator[Server]:
    with postgres_server() as found:
        hostile_table(found, 500)
        yield found


class Log:
    """What the server writes into its log from now on, of statements over this schema."""

    def __init__(self, server: Server) -> None:
        self._server = server
        ((size,),) = asked(server, f"SELECT size FROM pg_stat_file('{FILE}')")
        if not size:
            pytest.skip("the server's log is no file that it can read back itself")
        self._start = size

    def statements(self) -> list[str]:
        query = f"SELECT pg_read_file('{FILE}', {self._start}, 100000000)"
        ((text,),) = asked(self._server, query)
        found = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", str(text))
        return [line for line in found if self._server.schema in line]


def test_the_log_shows_aggregates_and_one_move_of_the_columns_that_are_needed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = options(server, features=FEATURES, ignore=["exact", "single", "unused"])
    data["split"] = {"kind": "hash", "columns": ["group"]}
    log = Log(server)
    monkeypatch.setenv("PGOPTIONS", LOG)
    _, failed = run(tmp_path, there(data), RULES)
    assert failed is None
    monkeypatch.delenv("PGOPTIONS")
    seen = log.statements()
    assert len(seen) > 20
    # What moved more than a few rows: one statement of `prepare`.
    (move,) = [line for line in seen if not is_few(server, line)]
    needed = ["number", "text", "id", "label", "w", "seen", "group"]
    assert sorted(columns_of(server, move)) == sorted(["mlspec_row", *needed, "mlspec_split"])


@pytest.mark.slow
def test_where_sums_are_all_that_training_needs_no_training_row_travels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres_server() as server:
        hostile_table(server, 4000)
        data = options(
            server,
            target={"column": "single", "kind": "number"},
            features=FEATURES,
            ignore=["exact", "unused", "label"],
            split={"kind": "random", "stratify": False, "train": 0.7, "val": 0.0, "test": 0.3},
        )
        log = Log(server)
        monkeypatch.setenv("PGOPTIONS", LOG)
        _, failed = run(tmp_path, there(data), training_rows="sums")
        assert failed is None
        monkeypatch.delenv("PGOPTIONS")
        seen = log.statements()
        # What moved more than quantiles, or says of which row it is: one statement, of the rows that judge.
        told = [
            line
            for line in seen
            if "mlspec_row" in columns_of(server, line) or not is_few(server, line, QUANTILES)
        ]
        (move,) = told
        splits = asked(server, f"SELECT DISTINCT mlspec_split FROM ({select_of(move)}) AS moved")
        assert splits == [("test",)]
        (sums,) = [line for line in seen if "mlspec_whole" in line]
        assert columns_of(server, sums) == ["one", "other", "code", "beside", "n", "sums", "cell"]
        assert is_few(server, sums)


def test_computed_here_all_rows_are_read_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(server)
    monkeypatch.setenv("PGOPTIONS", LOG)
    _, failed = run(tmp_path, options(server, features=FEATURES))
    assert failed is None
    monkeypatch.delenv("PGOPTIONS")
    (move,) = [line for line in log.statements() if not is_few(server, line)]
    assert "unused" in columns_of(server, move)


def select_of(statement: str) -> str:
    """Return the query of a COPY by which a driver takes Arrow."""
    found = re.match(r"COPY \((.*)\) TO STDOUT", statement, re.DOTALL)
    return found[1] if found else statement


def is_few(server: Server, statement: str, few: int = FEW) -> bool:
    ((rows,),) = asked(server, f"SELECT count(*) FROM ({select_of(statement)}) AS counted")
    return int(str(rows)) <= few


def columns_of(server: Server, statement: str) -> list[str]:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({select_of(statement)}) AS looked LIMIT 0")
        return list(cursor.fetch_record_batch().schema.names)


def asked(server: Server, query: str) -> list[tuple[object, ...]]:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
