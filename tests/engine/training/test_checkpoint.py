"""A checkpoint gives back what it was given, to its own training only."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from mlspec.engine.training.checkpoint import before, load_checkpoint, save_checkpoint
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
    found, notes = load_checkpoint(tmp_path / "file", "key")
    assert same(state, found) and notes == ()


def test_a_large_state_is_written_with_one_copy_of_it(tmp_path: Path) -> None:
    state = {"weights": torch.ones(2_000_000), "moments": torch.ones(2, 1_000_000)}
    tracemalloc.start()
    try:
        save_checkpoint(tmp_path / "file", "key", state)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # tracemalloc sees bytes and not tensors: what is written, and nothing of its size beside it.
    assert 1 <= most / 16_000_000 < 1.5


def test_numbers_of_numpy_come_back_plain(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": np.float64(0.1), "b": np.int32(3)})
    assert load_checkpoint(tmp_path / "file", "key") == ({"a": 0.1, "b": 3}, ())


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        save_checkpoint(tmp_path / name, "key", {"a": torch.arange(5), "b": [1, {"c": torch.zeros(2)}]})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_another_key_and_no_file_give_nothing(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": 1})
    found, notes = load_checkpoint(tmp_path / "file", "other")
    assert found is None
    assert "other parameters or other data" in notes[0] and notes[-1] == "the training starts anew"
    assert load_checkpoint(tmp_path / "absent", "key") == (None, ())


def damages(content: bytes) -> list[bytes]:
    """Return a file cut at several places, and with a bit flipped in each of its parts."""
    cuts = [content[:cut] for cut in (0, 1, 7, 9, 40, len(content) // 2, -1)]
    places = [*range(0, 160, 7), *range(160, len(content), 41), len(content) - 1]
    flips = [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in places]
    return [*cuts, *flips, content + b"\0"]


def test_a_damaged_file_gives_nothing_and_is_named(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": torch.arange(100)})
    for damaged in damages((tmp_path / "file").read_bytes()):
        (tmp_path / "file").write_bytes(damaged)
        assert load_checkpoint(tmp_path / "file", "key") == (
            None,
            ("the checkpoint file is damaged: it is not used", "the training starts anew"),
        )


def test_behind_a_damaged_file_stands_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "file.safetensors"
    for number in range(3):
        save_checkpoint(file, "key", {"a": number})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.before.safetensors", file.name]
    for damaged in damages(file.read_bytes()):
        file.write_bytes(damaged)
        found, notes = load_checkpoint(file, "key")
        assert found == {"a": 1}
        assert notes == ("the checkpoint file.safetensors is damaged: it is not used",)
    # A kill between the two renames leaves only this one.
    file.unlink()
    assert load_checkpoint(file, "key") == ({"a": 1}, ())
    before(file).write_bytes(b"")
    assert load_checkpoint(file, "key")[0] is None


def test_what_it_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "file", "key", {"a": 1})
    with pytest.raises(StepError, match="cannot hold a 'object'"):
        save_checkpoint(tmp_path / "file", "key", {"a": object()})
    assert load_checkpoint(tmp_path / "file", "key") == ({"a": 1}, ())
