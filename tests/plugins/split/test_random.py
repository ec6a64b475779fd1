"""Random splits."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from mlspec.plugins.split.random import Random

from mlspec.errors import StepError
from mlspec.sdk.split import SplitColumns
from tests.tables import assigned, frame

NUMBER = SplitColumns(target="target", stratify=False, event_time=None, key=())


def hashed(seed: int, row: int) -> float:
    """Compute the documented hash with Python's own md5."""
    return int(hashlib.md5(f"{seed}:{row}".encode()).hexdigest()[:13], 16) / 16**13


def test_plain_shares_follow_pythons_md5() -> None:
    data = frame(1000)
    found = assigned(Random.revive({"stratify": False}), data, seed=3)
    u = np.array([hashed(3, row) for row in range(1000)])
    wanted = np.select([u < 0.7, u < 0.8], ["train", "val"], "test")
    assert (found.to_numpy() == wanted).all()


def test_without_classes_nothing_is_stratified_unless_told() -> None:
    data = frame()
    plain = assigned(Random.revive({"stratify": False}), data)
    assert assigned(Random.revive({}), data, columns=NUMBER).equals(plain)
    with pytest.raises(StepError, match="has no classes to stratify by"):
        assigned(Random.revive({"stratify": True}), data, columns=NUMBER)


def test_each_class_has_its_shares_to_the_row() -> None:
    data = frame(997)
    found = assigned(Random.revive({"train": 0.6, "val": 0.15, "test": 0.25}), data)
    for _, rows in pd.DataFrame({"class": data["target"], "split": found}).groupby("class"):
        counts = rows["split"].value_counts()
        assert counts["train"] == pytest.approx(0.6 * len(rows), abs=0.5 + 1e-6)
        assert counts["train"] + counts["val"] == pytest.approx(0.75 * len(rows), abs=0.5 + 1e-6)


def test_stratified_rows_are_the_first_by_their_hash() -> None:
    data = frame(200)
    found = assigned(Random.revive({}), data, seed=5)
    for name, rows in data.groupby("target"):
        order = sorted(rows["mlspec_row"], key=lambda row: hashlib.md5(f"5:{row}".encode()).hexdigest())
        train = {row for row in order if found[row] == "train"}
        assert train == set(order[: len(train)]), name


def test_a_class_of_one_row_trains() -> None:
    data = frame(50)
    data.loc[10, "target"] = "alone"
    assert assigned(Random.revive({}), data)[10] == "train"


@pytest.mark.parametrize("shares", [(0.7, 0.1, 0.1), (0.5, 0.5, 0.5), (0, 0.5, 0.5), (1, 0, 0)])
def test_shares_must_sum_to_one_and_leave_train_and_test(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"sum to 1|greater than 0|less than 1"):
        Random.revive(dict(zip(("train", "val", "test"), shares, strict=True)))
