"""Rows of arrays on disk: those that were asked for, and ahead of time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlspec.engine.training.chunks import BATCHES, Shuffled
from mlspec.engine.training.spans import read_ahead, read_spans
from tests.engine.training.test_windows import BATCH, rows

__all__ = ["rows"]

SPANS = [(0, 3), (3, 4), (17, 90), (95, 100)]


@pytest.mark.parametrize("dtype", ["<f4", "<i4", "<f8"])
@pytest.mark.parametrize("shape", [(100,), (100, 7), (100, 0)])
def test_spans_are_what_slices_of_the_array_are(dtype: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    array = np.random.default_rng(1).integers(0, 99, shape).astype(dtype)
    expected = np.concatenate([array[start:stop] for start, stop in SPANS])
    assert np.array_equal(read_spans(array, SPANS), expected)
    if array.size:
        np.save(tmp_path / "a.npy", array)
        mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
        found = read_spans(mapped, SPANS)
        assert np.array_equal(found, expected) and found.dtype == array.dtype
        # A part of a mapping does not begin where its file does.
        assert np.array_equal(read_spans(mapped[10:], [(0, 3)]), array[10:13])


def test_a_file_that_became_shorter_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1000.0))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    os.truncate(tmp_path / "a.npy", 4000)
    assert read_spans(mapped, [(0, 10)]).tolist() == list(range(10))
    with pytest.raises(OSError, match="ends before its last row"):
        read_spans(mapped, [(0, 10), (900, 950)])


def test_the_system_is_asked_for_these_bytes_alone(tmp_path: Path, monkeypatch: Any) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda number, start, length, _: asked.append((start, length)))
    array = np.zeros((100, 3), np.float32)
    read_ahead(array, SPANS)
    assert asked == []
    np.save(tmp_path / "a.npy", array)
    read_ahead(np.load(tmp_path / "a.npy", mmap_mode="r"), SPANS)
    head = (tmp_path / "a.npy").stat().st_size - array.nbytes
    assert asked == [(head + 12 * start, 12 * (stop - start)) for start, stop in SPANS]


def test_the_next_window_is_asked_for_before_one_is_trained_on(rows: Any, monkeypatch: Any) -> None:
    asked: list[list[tuple[int, int]]] = []
    monkeypatch.setattr(type(rows), "ahead", lambda self, spans=None: asked.append(spans))
    shuffled = Shuffled(rows, BATCH, 3)
    assert shuffled.windows is not None
    generator = torch.Generator().manual_seed(3 * 1_000_003)
    spans = [spans for spans, _ in shuffled.windows.epoch(generator)]
    each = shuffled.windows.window // (BATCH * BATCHES)
    for number, _ in enumerate(shuffled):
        assert asked == spans[1 : number // each + 2]
