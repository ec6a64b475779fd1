"""Encoded rows on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlspec.engine.preparing.shards import ShardWriter, open_shards
from mlspec.sdk.contract import ModelInputs


def test_what_is_written_is_what_is_opened(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    numbers, codes = random.random((1000, 3), np.float32), random.integers(0, 9, (1000, 2))
    target, weight = random.random(1000), random.random(1000)
    with ShardWriter(tmp_path, 1000, ModelInputs(numbers=3, sizes=(9, 9)), weight=True) as shards:
        for start in range(0, 1000, 300):
            part = slice(start, start + 300)
            shards.write(np.asfortranarray(numbers[part]), codes[part], target[part], weight[part])
    found = open_shards(tmp_path)
    assert found.rows == 1000
    assert isinstance(found.numbers, np.memmap) and not found.numbers.flags.writeable
    for array, wanted, kind in (
        (found.numbers, numbers, "<f4"),
        (found.codes, codes, "<i4"),
        (found.target, target, "<f8"),
        (found.weight, weight.astype("<f4"), "<f4"),
    ):
        assert array is not None and array.dtype == kind
        np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("inputs", [ModelInputs(numbers=0, sizes=(3,)), ModelInputs(numbers=2, sizes=())])
@pytest.mark.parametrize("rows", [0, 5])
def test_no_rows_and_no_columns_are_legal(tmp_path: Path, inputs: ModelInputs, rows: int) -> None:
    with ShardWriter(tmp_path, rows, inputs, target=False) as shards:
        shards.write(
            np.zeros((rows, inputs.numbers), np.float32), np.zeros((rows, len(inputs.sizes)), np.int64)
        )
    found = open_shards(tmp_path)
    assert found.numbers.shape == (rows, inputs.numbers) and found.codes.shape == (rows, len(inputs.sizes))
    assert found.target.shape == (0,) and found.weight is None


def test_a_wrong_shape_or_number_of_rows_is_refused(tmp_path: Path) -> None:
    inputs = ModelInputs(numbers=2)
    with pytest.raises(ValueError, match=r"numbers is \(3, 1\), not \(3, 2\)"):
        with ShardWriter(tmp_path, 3, inputs, target=False) as shards:
            shards.write(np.zeros((3, 1)), np.zeros((3, 0)))
    with pytest.raises(ValueError, match="target is None"):
        with ShardWriter(tmp_path, 3, inputs) as shards:
            shards.write(np.zeros((3, 2)), np.zeros((3, 0)))
    with pytest.raises(ValueError, match="2 rows were written, and 3 were told"):
        with ShardWriter(tmp_path, 3, inputs, target=False) as shards:
            shards.write(np.zeros((2, 2)), np.zeros((2, 0)))
