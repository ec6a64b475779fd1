"""Numbers of any length, which come as text, give rows their place as numbers: here and in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspec.engine.pushdown.open_rows import open_rows
from mlspec.engine.reading.reading import Reading
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from tests.plugins.source.postgres_server import Server, postgres_server

ODD = (
    "10", "9", "-9", "-10", "0", "0.00", "1.5", "1.50", "1.05", "-1.5", "-1.50", "-1.51", "-0.001", "0.001",
    "9007199254740993", "9007199254740992", "1e400", "-1e400", "1e-300", "-1e-300", "NaN", "Infinity",
    "-Infinity", "99.9", "100", "-99.9", "-100", "12345678901234567890.12345678901234567890",
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give a table of numbers, some equal and written otherwise; `place` is where each belongs."""
    rng = np.random.default_rng(5)
    texts = [*ODD, *(f"{rng.integers(-999, 999)}.{rng.integers(0, 99):02}" for _ in range(300))]
    rows = ", ".join(f"('{text}'::numeric)" for text in rng.permutation(texts))
    with postgres_server() as found:
        found.run(
            "CREATE DOMAIN price AS numeric CHECK (VALUE IS NULL OR VALUE = VALUE)",
            "CREATE DOMAIN low AS price",
            "CREATE TABLE numbers AS SELECT n, n::low AS p, n::text AS t, "
            'row_number() OVER (ORDER BY n, n::text COLLATE "C") AS place '
            f"FROM (VALUES {rows}, (NULL)) AS v(n)",
        )
        yield found


@pytest.mark.parametrize(
    ("columns", "order", "known"),
    [
        ("n, place", ["n", "place"], True),
        ("t, p, place", ["p", "place"], True),
        ("n, t, place", [], False),
        ("t, n", ["n"], False),
        ("p", [], False),
    ],
)
def test_order(server: Server, tmp_path: Path, columns: str, order: list[str], known: bool) -> None:
    source = {"kind": "sql", "url": server.url, "query": f"SELECT {columns} FROM {server.schema}.numbers"}
    data: dict[str, Any] = {"source": {**source, "order_by": order}}
    asked: Any = Slot("source").choose(freeze({**data["source"], "compute": "database"}))
    here = Reading.of(data, Context(tmp_path, scratch=tmp_path)).table.order_by("mlspec_row").to_pyarrow()
    with asked.snapshot() as snapshot:
        away = open_rows(data, snapshot).table.order_by("mlspec_row").to_pyarrow()
    assert here.num_rows == len(ODD) + 301
    assert here.to_pylist() == away.select(here.column_names).to_pylist()
    if known:
        assert here["place"].to_pylist() == sorted(here["place"].to_pylist())
