"""Splits beside rows that stay in their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlspec.engine.database import all_threads
from mlspec.engine.preparing.beside_rows import beside_rows
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context

ROWS = (30_000, 1, 50_000, 7)
"""Of each file, in row groups of a few thousand."""
WORDS = ["train", "val", "test"]


def reading(folder: Path, **changes: Any) -> Reading:
    """Return rows of several files; `x` is the row's place, where it is no reject."""
    start = 0
    (folder / "rows").mkdir()
    for number, rows in enumerate(ROWS):
        places = np.arange(start, start + rows, dtype=np.float64)
        names = [f"name {place % 97}" for place in range(rows)]
        table = pa.table({"x": places, "name": names} | changes)
        parquet.write_table(table, folder / "rows" / f"{number}.parquet", row_group_size=4_000)
        start += rows
    data = {"source": {"kind": "parquet", "path": "rows"}, "features": {"x": "number", "name": "category"}}
    return Reading.where_it_lies(data, Context(folder, scratch=folder))


def assigned(rows: Reading, folder: Path, code: Any = None) -> dict[str, int]:
    table = rows.table
    code = (table.mlspec_row * 2_654_435_761) % 3 if code is None else code
    words = ibis.cases(*((code == at, word) for at, word in enumerate(WORDS)))
    return beside_rows(table.mutate(mlspec_split=words), "own", Context(folder, scratch=folder))


@pytest.mark.parametrize("threads", [1, 4])
def test_each_row_has_its_own_split_and_the_order_is_that_of_the_files(tmp_path: Path, threads: int) -> None:
    with reading(tmp_path) as rows:
        counts = assigned(rows, tmp_path)
        assert rows.marks is not None and sum(counts.values()) == sum(ROWS)
        table = rows.table.get_backend().table("mlspec_assigned")
        connection = rows.table.get_backend().con
        connection.execute(f"SET VARIABLE mlspec_threads = {threads}")
        with all_threads(table):
            # Rows, their places and their splits; with what is reckoned of a column, and of none.
            found = connection.execute(
                "SELECT x, mlspec_row, mlspec_split FROM mlspec_assigned"
            ).to_arrow_table()
            plain = connection.execute(
                "SELECT x FROM mlspec_assigned WHERE mlspec_split = 'val'"
            ).to_arrow_table()
            held = connection.execute(
                "SELECT count(*) FROM mlspec_assigned WHERE mlspec_split = 'test'"
            ).fetchone()
        place = np.arange(sum(ROWS))
        code = (place * 2_654_435_761) % 3
        assert found["mlspec_row"].to_pylist() == place.tolist()
        assert found["x"].to_pylist() == place.tolist()
        assert found["mlspec_split"].to_pylist() == [WORDS[at] for at in code]
        assert plain["x"].to_pylist() == place[code == 1].tolist()
        assert held == (counts["test"],) == ((code == 2).sum(),)


def test_splits_may_come_in_any_order(tmp_path: Path) -> None:
    with reading(tmp_path) as rows:
        table = rows.table
        rank = ibis.row_number().over(ibis.window(group_by=table.name, order_by=ibis.desc(table.mlspec_row)))
        counts = assigned(rows, tmp_path, rank % 3)
        found = rows.table.get_backend().table("mlspec_assigned").to_pyarrow().to_pandas()
        wanted = found.sort_values("mlspec_row", ascending=False).groupby("name").cumcount().sort_index() % 3
        assert found["mlspec_split"].tolist() == [WORDS[at] for at in wanted]
        assert counts == found["mlspec_split"].value_counts().to_dict()


def test_rows_that_were_left_out_have_no_split(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    table = pa.table({"x": [0.0, float("inf"), 2.0, 3.0], "name": ["a"] * 4})
    parquet.write_table(table, tmp_path / "rows" / "0.parquet")
    data = {
        "source": {"kind": "parquet", "path": "rows"}, "features": {"x": "number"}, "max_rejects": 0.5,
    }  # fmt: skip
    with Reading.where_it_lies(data, Context(tmp_path, scratch=tmp_path)) as rows:
        assert rows.marks is None
        counts = assigned(rows, tmp_path, rows.table.mlspec_row % 3)
        assert counts == {"train": 2, "val": 0, "test": 1}
        found = rows.table.get_backend().table("mlspec_assigned").to_pyarrow().to_pylist()
        assert [(row["mlspec_row"], row["mlspec_split"]) for row in found] == [
            (0, "train"), (2, "test"), (3, "train"),
        ]  # fmt: skip


@pytest.mark.parametrize("lost", ["dropped", "doubled", "moved", "beyond"])
def test_rows_without_one_place_are_told(tmp_path: Path, lost: str) -> None:
    with reading(tmp_path) as rows:
        table = rows.table.mutate(mlspec_split=ibis.literal("train"))
        wrong = {
            "dropped": table.filter(table.mlspec_row != 5),
            "doubled": table.union(table.filter(table.mlspec_row == 5)),
            "moved": table.mutate(mlspec_row=(table.mlspec_row == 5).ifelse(6, table.mlspec_row)),
            "beyond": table.mutate(mlspec_row=(table.mlspec_row == 5).ifelse(10**9, table.mlspec_row)),
        }[lost]
        with pytest.raises(StepError, match="does not give each row one place"):
            beside_rows(wrong, "own", Context(tmp_path, scratch=tmp_path))


@pytest.mark.parametrize(("word", "told"), [("holdout", "'holdout'"), (None, "'None'")])
def test_a_word_that_is_no_split_is_told(tmp_path: Path, word: str | None, told: str) -> None:
    with reading(tmp_path) as rows:
        table = rows.table.mutate(mlspec_split=ibis.literal(word, "string"))
        with pytest.raises(StepError, match=told):
            beside_rows(table, "own", Context(tmp_path, scratch=tmp_path))
