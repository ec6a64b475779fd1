"""Chunks of an epoch: in the order that they had before less memory was taken for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspec.engine.training import chunks as module
from mlspec.engine.training.chunks import InOrder, Shuffled, draws, rows_of
from mlspec.engine.training.group import Group
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.encoded import Encoded
from tests.engine.training.test_fit import bits, lesson, run
from tests.planted import planted

ROWS = 5_003
TARGET = FittedTarget(column="y", kind="category", classes=("a", "b", "c", "never"), counts=(1, 1, 1, 0))


def rows(count: int = ROWS) -> Encoded:
    """Return rows that are their own place."""
    truth = np.random.default_rng(2).choice(3, count, p=[0.7, 0.2, 0.1]).astype(np.float64)
    return Encoded(np.arange(count, dtype=np.float32)[:, None], np.zeros((count, 0), np.int32), truth)


def order(shuffled: Shuffled) -> list[int]:
    return [int(place) for chunk in shuffled for place in chunk[0][:, 0]]


def test_an_epoch_is_the_order_that_the_seed_gives_to_numbers_of_eight_bytes() -> None:
    generator = torch.Generator().manual_seed(3 * 1_000_003 + 1)
    expected = torch.randperm(ROWS, generator=generator).tolist()
    shuffled = Shuffled(rows_of(rows(), TARGET, None), 10, 3, 1)
    assert shuffled._order(torch.Generator()).element_size() == 4
    assert order(shuffled) == expected


def test_rows_are_drawn_piece_by_piece_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 700)
    encoded = rows()
    codes = encoded.target.astype(np.int64)
    each = 1.0 / (3 * np.bincount(codes)[codes])
    likely = draws(encoded, TARGET)
    assert (likely.numpy() == np.cumsum(each)).all()
    drawn = torch.rand(ROWS, generator=torch.Generator().manual_seed(3 * 1_000_003), dtype=torch.float64)
    expected = torch.searchsorted(likely, drawn, right=True).clamp_(max=ROWS - 1)
    assert order(Shuffled(rows_of(encoded, TARGET, None), 10, 3, draws=likely)) == expected.tolist()


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 95, 100, 101, 203])
def test_every_rank_scores_as_many_pieces_none_of_them_empty_or_large(
    count: int, ranks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SCORED", 10)
    looks = [InOrder(rows_of(rows(count), TARGET, None), 100, Group(rank, ranks)) for rank in range(ranks)]
    assert len({(look.pieces, len(look)) for look in looks}) == 1
    for look in looks:
        for chunk in look:
            sizes = [len(piece) for piece in chunk[0].tensor_split(look.pieces)]
            assert max(sizes) <= 10
            assert min(sizes) > 0 or ranks == 1


def test_val_is_scored_in_pieces_and_judged_as_in_whole_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def watched(scored: int) -> Any:
        monkeypatch.setattr(module, "SCORED", scored)
        what = lesson(batch_size=64, val=planted("binary", 2_500, 2), epochs=2)
        made = type(what.model).module

        def module_(self: Any, *told: Any) -> torch.nn.Module:
            network = made(self, *told)
            network.register_forward_hook(
                lambda network, given, scores: None if network.training else sizes.append(len(scores))
            )
            return network

        with monkeypatch.context() as patch:
            patch.setattr(type(what.model), "module", module_)
            return run(what, tmp_path / str(scored))

    whole = watched(10**9)
    assert max(sizes) == 2_500
    sizes.clear()
    cut = watched(512)
    assert max(sizes) <= 512 and sum(sizes) == 2 * 2_500
    assert cut.history == whole.history and bits(cut) == bits(whole)
