"""Rows whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlspec.plugins.source.synthetic import CHUNK, Synthetic

from mlspec.sdk.context import Context


def rows(folder: Path, **options: object) -> pd.DataFrame:
    return Synthetic.revive(options).read(Context(folder, scratch=folder)).execute()


def score(table: pd.DataFrame) -> np.ndarray:
    """Compute the documented truth again, from the rows alone."""
    total = np.zeros(len(table))
    for name in table.columns:
        kind, _, place = name.partition("_")
        if kind == "number":
            total += table[name].to_numpy() * (-1) ** int(place) / (int(place) + 1)
        elif kind == "category":
            level = table[name].str[1:].astype(int).to_numpy()
            total += ((level + int(place)) % 3 - 1) / 2
    return total


def test_without_noise_the_target_is_the_documented_formula(tmp_path: Path) -> None:
    number = rows(tmp_path, rows=500, numbers=4, categories=3, target="number", noise=0)
    np.testing.assert_allclose(number["target"], score(number), atol=1e-12)
    binary = rows(tmp_path, rows=500, target="binary", noise=0)
    assert (binary["target"] == np.where(score(binary) > 0, "true", "false")).all()
    three = rows(tmp_path, rows=500, target="category", noise=0)
    wanted = np.select([score(three) < -0.7, score(three) > 0.7], ["low", "high"], "middle")
    assert (three["target"] == wanted).all()
    assert set(wanted) == {"low", "middle", "high"}


def test_columns_are_independent_and_standard(tmp_path: Path) -> None:
    table = rows(tmp_path, rows=100_000, numbers=4, categories=2, levels=5)
    numbers = table.filter(like="number_")
    assert np.abs(numbers.mean()).max() < 0.02
    assert np.abs(numbers.std() - 1).max() < 0.02
    assert np.abs(np.corrcoef(numbers.T.to_numpy()) - np.eye(4)).max() < 0.02
    for name in ("category_0", "category_1"):
        assert np.abs(table[name].value_counts(normalize=True) - 0.2).max() < 0.01
    joint = pd.crosstab(table["category_0"], table["category_1"], normalize=True).to_numpy()
    assert np.abs(joint - 0.04).max() < 0.005


def test_more_rows_begin_with_the_same_rows(tmp_path: Path) -> None:
    few, many = rows(tmp_path, rows=100), rows(tmp_path, rows=CHUNK + 100)
    pd.testing.assert_frame_equal(few, many.head(100))
    assert len(many) == CHUNK + 100
    assert not many["number_0"].iloc[CHUNK:].duplicated().any()


def test_seed_and_nulls_do_what_they_say(tmp_path: Path) -> None:
    first, other = rows(tmp_path, rows=1000), rows(tmp_path, rows=1000, seed=1)
    assert not first["number_0"].equals(other["number_0"])
    holed = rows(tmp_path, rows=20_000, nulls=0.3)
    share = holed.drop(columns="target").isna().mean()
    assert np.abs(share - 0.3).max() < 0.02
    assert holed["target"].notna().all()


def test_a_table_without_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one column"):
        Synthetic.revive({"numbers": 0, "categories": 0})
