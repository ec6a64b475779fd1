"""Rows far larger than memory: each once an epoch, mixed well, in an order that a resumed training finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspec.engine.preparing.shards import ShardWriter, open_shards
from mlspec.engine.training import windows as module
from mlspec.engine.training.chunks import BATCHES, Rows, Shuffled, rows_of
from mlspec.engine.training.group import Group
from mlspec.engine.training.windows import Windows, windows_of
from mlspec.sdk.contract import FittedTarget, ModelInputs
from tests.engine.training.test_fit import Failing, bits, lesson, run

ROWS, BATCH = 20_011, 50
TARGET = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1))
EACH = 4 * 1 + 4 * 1 + 8 + 4
"""Bytes of a row: a number, a code, the truth and a weight."""


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Rows on disk that are their own place; the second half is of the second class."""
    monkeypatch.setattr(module, "WHOLE", 50_000)
    monkeypatch.setattr(module, "WINDOW", 2400 * EACH)
    monkeypatch.setattr(module, "BLOCK", 12 * EACH)
    place = np.arange(ROWS)
    with ShardWriter(tmp_path, ROWS, ModelInputs(numbers=1, sizes=(ROWS,)), weight=True) as shards:
        shards.write(place[:, None], place[:, None], place >= ROWS / 2, 1 + place % 2)
    return rows_of(open_shards(tmp_path), TARGET, None)


def places(chunks: Iterator[Any]) -> list[int]:
    return [int(place) for chunk in chunks for place in chunk[0][:, 0]]


def test_each_row_comes_once_an_epoch_and_with_its_own_values(rows: Rows) -> None:
    shuffled = Shuffled(rows, BATCH, 3)
    assert shuffled.windows == Windows(ROWS, 12, 2400)
    seen = []
    for _ in range(2):
        chunks = list(shuffled)
        for numbers, codes, truth, weight in chunks:
            place = numbers[:, 0].long()
            assert torch.equal(codes[:, 0], place) and torch.equal(truth, (place >= ROWS / 2).float())
            assert weight is not None
            assert torch.allclose(weight, (1 + place % 2) / 1.5, atol=1e-4)
        seen.append(places(iter(chunks)))
        assert sorted(seen[-1]) == list(range(ROWS))
        assert [len(chunk[0]) for chunk in chunks[:-1]] == [BATCH * BATCHES] * (len(chunks) - 1)
    assert seen[0] != seen[1]


def test_the_same_seed_is_the_same_order_and_another_is_another(rows: Rows) -> None:
    first = places(iter(Shuffled(rows, BATCH, 3)))
    assert first == places(iter(Shuffled(rows, BATCH, 3)))
    assert first != places(iter(Shuffled(rows, BATCH, 4)))


def test_it_goes_on_from_any_chunk_of_any_epoch(rows: Rows) -> None:
    for epoch in (0, 2):
        whole = list(Shuffled(rows, BATCH, 3, epoch))
        for chunk in range(len(whole)):
            rest = list(Shuffled(rows, BATCH, 3, epoch, chunk))
            assert places(iter(rest)) == places(iter(whole[chunk:]))


@pytest.mark.parametrize("ranks", [1, 2])
def test_it_knows_which_rows_a_chunk_holds(ranks: int, rows: Rows) -> None:
    for rank in range(ranks):
        chunks = list(Shuffled(rows, BATCH, 3, 1, group=Group(rank, ranks)))
        known = Shuffled(rows, BATCH, 3, group=Group(rank, ranks))
        for place in (0, 4, len(chunks) - 1):
            found = torch.cat(known.places(1, place)).tolist()
            assert found == places(iter([chunks[place]]))


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_share_each_batch_of_the_order_that_one_alone_has(ranks: int, rows: Rows) -> None:
    alone = places(iter(Shuffled(rows, BATCH, 3)))
    parts = [places(iter(Shuffled(rows, BATCH, 3, group=Group(rank, ranks)))) for rank in range(ranks)]
    together: list[int] = []
    taken = [0] * ranks
    for start in range(0, ROWS, BATCH):
        size = min(BATCH, ROWS - start)
        for rank in range(ranks):
            count = Group(rank, ranks).count(size)
            together += parts[rank][taken[rank] : taken[rank] + count]
            taken[rank] += count
    assert together == alone


def test_rows_are_mixed_nearly_as_well_as_by_one_order_of_all(rows: Rows, monkeypatch: Any) -> None:
    def spread(shuffled: Shuffled) -> tuple[float, float]:
        """Return how far the share of a class moves between batches, and places between neighbours."""
        order = np.array([place for _ in range(3) for place in places(iter(shuffled))])
        shares = (order[: len(order) // BATCH * BATCH].reshape(-1, BATCH) >= ROWS / 2).mean(1)
        near = (np.abs(np.diff(order)) < 12).mean()
        return float(shares.std()), float(near)

    cut = Shuffled(rows, BATCH, 3)
    moved, near = spread(cut)
    monkeypatch.setattr(module, "WHOLE", 10**9)
    one = Shuffled(rows, BATCH, 3)
    assert cut.windows is not None and one.windows is None
    ideal, apart = spread(one)
    # 200 blocks a window add sqrt(1 / 200) to the sqrt(1 / 50) that batches of 50 move by themselves.
    assert moved < 1.25 * ideal
    # Neighbours of a block meet about once in a window's rows, which is seldom.
    assert near < 0.01 and apart < near
    # Rows sorted by class, in the order of the file, are what this protects from.
    assert np.std((np.arange(ROWS - ROWS % BATCH).reshape(-1, BATCH) >= ROWS / 2).mean(1)) > 5 * moved


def test_a_window_holds_what_it_says_and_no_more(rows: Rows) -> None:
    windows = windows_of(ROWS, rows.bytes, BATCH * BATCHES)
    assert windows is not None
    sizes = [sum(stop - start for start, stop in spans) for spans, _ in windows.epoch(torch.Generator())]
    assert sizes == [2400] * 8 + [ROWS - 8 * 2400]
    assert windows_of(ROWS, 50_000, BATCH) is None


def test_a_killed_training_goes_on_in_the_middle_of_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WHOLE", 0)
    monkeypatch.setattr(module, "WINDOW", 16_000)
    monkeypatch.setattr(module, "BLOCK", 200)
    told: list[str] = []
    expected = bits(run(lesson(), tmp_path / "one", say=told.append))
    assert "shuffled in windows of 384 rows, from blocks of" in told[0]
    with pytest.raises(RuntimeError, match="down"):
        run(lesson(optimizer=Failing(at=130)), tmp_path / "two", checkpoint_every=0.0)
    assert bits(run(lesson(), tmp_path / "two")) == expected


def test_rows_that_fit_keep_the_order_they_had() -> None:
    assert windows_of(10_000_000, 2**30, 65_536) is None
    large = windows_of(50_000_000, 50_000_000 * 104, 65_536)
    assert large == Windows(50_000_000, 1260, 9 * 65_536)


def test_the_plan_knows_from_when_on_an_epoch_is_cut() -> None:
    from mlspec.run import room

    assert room.WHOLE == module.WHOLE
