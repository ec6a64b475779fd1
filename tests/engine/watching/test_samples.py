"""A sample of values is fair, can be merged, and lies in a file that is whole or told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from scipy import stats

from mlspec.engine.watching.reservoir import Reservoir
from mlspec.engine.watching.samples import Samples
from mlspec.errors import StepError


def stream(rows: int, seed: int, size: int = 50, start: float = 0.0) -> Reservoir:
    kept = Reservoir(size, np.random.default_rng(seed))
    values = start + np.arange(rows, dtype=np.float64)
    for part in np.array_split(values, 7):
        kept.add(part)
    return kept


def test_few_values_are_all_kept() -> None:
    assert stream(30, seed=1).values.tolist() == list(range(30))
    assert len(stream(5000, seed=1).values) == 50


def test_every_value_has_the_same_chance() -> None:
    counts = np.zeros(200)
    for seed in range(400):
        counts[stream(200, seed).values.astype(int)] += 1
    assert stats.chisquare(counts).pvalue > 1e-3


def test_merged_streams_count_by_their_rows() -> None:
    shares = []
    for seed in range(200):
        many, few = stream(3000, [1, seed]), stream(1000, [2, seed], start=1e6)
        parts = [(one.size, one.keys, one.kept) for one in (many, few)]
        values = Reservoir.merged(parts)
        assert len(values) == 50 and (np.diff(values) > 0).all()
        shares.append((values >= 1e6).mean())
    assert np.mean(shares) == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 50 / 200) ** 0.5)


def test_samples_of_two_sizes_are_merged_as_the_smaller() -> None:
    parts = [(one.size, one.keys, one.kept) for one in (stream(3000, 1, size=100), stream(3000, 2, size=20))]
    assert len(Reservoir.merged(parts)) == 20
    whole = stream(10, 3, size=20)
    assert Reservoir.merged([(20, whole.keys, whole.kept)]).tolist() == list(range(10))
    assert len(Reservoir.merged([])) == 0


def samples(seed: int) -> Samples:
    kept = Samples(20, np.random.default_rng(seed))
    kept.add("age", np.arange(1000.0))
    kept.add("mlspec/value", np.arange(5.0))
    kept.add("none", np.empty(0))
    return kept


def test_files_are_merged_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2), ("c", 1)):
        samples(seed).write(tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()
    found = Samples.merged([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert len(found["age"]) == 20 and found["mlspec/value"].tolist() == sorted([*range(5)] * 2)


def test_rows_cannot_be_put_together(tmp_path: Path) -> None:
    kept = Samples(50, np.random.default_rng(3))
    for name in ("age", "income"):
        kept.add(name, np.arange(1000.0))
    kept.write(tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet").to_pandas()
    ages, incomes = (table[table.column == name].value.to_numpy() for name in ("age", "income"))
    assert len(set(ages) & set(incomes)) < 15


def test_a_file_without_samples_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    samples(1).write(file)
    content = file.read_bytes()
    for broken in (b"", b"nonsense", content[: len(content) // 2]):
        file.write_bytes(broken)
        with pytest.raises(StepError, match="holds no samples of values"):
            Samples.merged([file])
