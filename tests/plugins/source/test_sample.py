"""scikit-learn's bundled sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mlspec.plugins.source.sample import COLUMNS, Sample
from sklearn import datasets

from mlspec.sdk.context import Context


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_and_names_are_those_of_scikit_learn(name: str, tmp_path: Path) -> None:
    loaded = getattr(datasets, f"load_{name}")()
    source = Sample.revive({"name": name})
    assert source.columns(Context(tmp_path)) == (*loaded.feature_names, "target")
    rows = source.read(Context(tmp_path, scratch=tmp_path)).execute()
    np.testing.assert_array_equal(rows.drop(columns="target").to_numpy(float), loaded.data)
    if name == "diabetes":
        np.testing.assert_array_equal(rows["target"].to_numpy(float), loaded.target)
    else:
        assert rows["target"].tolist() == [str(loaded.target_names[code]) for code in loaded.target]
