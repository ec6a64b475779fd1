"""A checkpoint gives back what it was given, to its own training only."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspec.engine.training.checkpoint import load_checkpoint, save_checkpoint
from mlspec.errors import StepError


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and list(one) == list(other)
            and all(same(one[key], other[key]) for key in one)
        )
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return type(one) is type(other) and one == other


def test_everything_comes_back_with_its_type(tmp_path: Path) -> None:
    state = {
        "weights": {
            "a": torch.randn(3, 0),
            "b": torch.tensor(2.5, dtype=torch.float64),
            "c": torch.ones(2, 2).bool(),
        },
        3: (1, 2.5, [True, None, "text ü \ud800"[:6]]),
        "floats": [0.1, 1e-323, math.inf, -math.inf, math.nan, -0.0],
        "bits": torch.arange(7, dtype=torch.uint8),
        "tied": [torch.arange(3)] * 2,
        "empty": {},
    }
    save_checkpoint(tmp_path / "file", "key", state)
    assert same(state, load_checkpoint(tmp_path / "file", "key"))


def test_numbers_of_numpy_come_back_plain(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": np.float64(0.1), "b": np.int32(3)})
    assert load_checkpoint(tmp_path / "file", "key") == {"a": 0.1, "b": 3}


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        save_checkpoint(tmp_path / name, "key", {"a": torch.arange(5), "b": [1, {"c": torch.zeros(2)}]})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_another_key_and_no_file_give_nothing(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": 1})
    assert load_checkpoint(tmp_path / "file", "other") is None
    assert load_checkpoint(tmp_path / "absent", "key") is None


@pytest.mark.parametrize("cut", [0, 1, 7, 9, 40, -1])
def test_a_cut_file_gives_nothing(cut: int, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": torch.arange(100)})
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:cut])
    assert load_checkpoint(tmp_path / "file", "key") is None


def test_what_it_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": 1})
    with pytest.raises(StepError, match="cannot hold a 'object'"):
        save_checkpoint(tmp_path / "file", "key", {"a": object()})
    assert load_checkpoint(tmp_path / "file", "key") == {"a": 1}
