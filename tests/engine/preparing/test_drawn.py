"""Rows are drawn without being sorted, and are those that a sort gives."""

from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest
from mlspec.plugins.split.random import Random

from mlspec.engine.preparing import drawn as module
from mlspec.engine.preparing.drawn import drawn
from mlspec.sdk.context import Context
from mlspec.sdk.split import SplitColumns

WORDS = ("", "train", "val", "test")
COLUMNS = SplitColumns(target="y", stratify=True, event_time=None, key=())


def table(classes: int, rows: int = 6_000) -> ibis.Table:
    """Return rows of classes of very different sizes, one without a name; places have gaps."""
    rng = np.random.default_rng(4)
    places = np.flatnonzero(rng.random(rows) < 0.9)
    names = (rng.random(len(places)) ** 3 * classes).astype(int)
    values = pa.array([f"class {name}" for name in names], mask=names == 1)
    connection = ibis.duckdb.connect()
    connection.con.register("mlspec_rows", pa.table({"mlspec_row": places, "y": values}))
    return connection.table("mlspec_rows")


@pytest.mark.parametrize(("classes", "cells"), [(1, 20), (2, 20), (3, 4), (400, 20), (400, 10)])
@pytest.mark.parametrize(
    "shares",
    [
        {},
        {"train": 0.051, "val": 0.0, "test": 0.949},
        {"train": 0.5, "val": 0.25, "test": 0.25},
        {"train": 1 / 3, "val": 1 / 3, "test": 1 / 3},
    ],
)
def test_a_draw_is_what_sorting_gives(
    tmp_path: Path, classes: int, cells: int, shares: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CELLS", cells)
    rows, split = table(classes), Random.revive(shares)
    told = split.assign(rows, 11, COLUMNS).select("mlspec_row", "mlspec_split").to_pyarrow()
    draw = split.draw(rows, 11, COLUMNS)
    assert draw is not None
    found = drawn(rows, draw, 6_000, Context(tmp_path, scratch=tmp_path))
    assert found is not None
    places = told["mlspec_row"].to_numpy()
    assert [WORDS[code] for code in found[places]] == told["mlspec_split"].to_pylist()
    assert np.count_nonzero(found) == len(places)


def test_of_more_groups_than_can_be_counted_nothing_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 100)
    rows, split = table(400), Random.revive({})
    draw = split.draw(rows, 11, COLUMNS)
    assert draw is not None
    assert drawn(rows, draw, 6_000, Context(tmp_path, scratch=tmp_path)) is None


def test_what_is_not_stratified_is_no_draw() -> None:
    assert Random.revive({"stratify": False}).draw(table(2), 11, COLUMNS) is None
