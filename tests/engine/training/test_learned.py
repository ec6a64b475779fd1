"""What is judged on val after a training, and in each epoch, takes no memory for each row."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspec.engine import on_disk as disk_room
from mlspec.engine.judging.answers import answers
from mlspec.engine.on_disk import PART
from mlspec.engine.preparing.shards import ShardWriter, open_shards
from mlspec.engine.training.learned import Learned
from mlspec.engine.training.prepared import Prepared
from mlspec.engine.training.ranked import ranked
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.metric import Metric
from mlspec.sdk.slot import Slot
from tests.engine.training.test_fit import bits, choose, lesson, run
from tests.planted import INPUTS, planted, target_of

TARGET = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1))


def learned() -> Learned:
    """Return a model whose score is the number of a row."""
    return Learned("fitted", ("model.onnx", b""), lambda rows: np.asarray(rows.numbers), (), None)


def data(folder: Path, rows: int) -> Prepared:
    """Return encoded rows of val on disk."""
    inputs = ModelInputs(numbers=1)
    random = np.random.default_rng(3)
    with ShardWriter(folder, rows, inputs) as shards:
        for start in range(0, rows, PART):
            scores = random.normal(size=(min(PART, rows - start), 1))
            truth = scores[:, 0] + random.normal(size=len(scores)) > 0
            shards.write(scores, np.zeros((len(scores), 0)), truth)
    val = open_shards(folder)
    return Prepared(inputs, TARGET, train=val, val=val, parity=val)


def metric(name: str) -> Metric:
    found = Slot("metric").choose(name)
    assert isinstance(found, Metric)
    return found


def test_scores_of_few_rows_are_in_memory_and_of_many_on_disk(tmp_path: Path) -> None:
    few = learned().judged(data(tmp_path / "few", 100), tmp_path / "scratch")
    assert not isinstance(few, np.memmap) and not (tmp_path / "scratch").exists()
    given = data(tmp_path / "many", 3 * PART + 5)
    many = learned().judged(given, tmp_path / "scratch")
    assert isinstance(many, np.memmap) and given.val is not None
    assert (many == given.val.numbers).all()
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_answers_lie_where_scores_do_and_never_beside_encoded_rows(kind: Any, tmp_path: Path) -> None:
    rows = planted(kind, 500, 4)
    target = target_of(kind, rows)
    with ShardWriter(tmp_path / "val", rows.rows, INPUTS) as shards:
        shards.write(rows.numbers, rows.codes, rows.target)
    val = open_shards(tmp_path / "val")
    scores = np.random.default_rng(1).normal(size=(500, target.width)).astype(np.float32)
    kept = disk_room.on_disk(tmp_path, scores.shape, np.float32)
    kept[:] = scores
    found, expected = answers(kept, val, target), answers(scores, rows, target)
    assert not isinstance(found.truth, np.memmap)
    for name in ("truth", "probabilities", "labels", "values"):
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None) == (other is None)
        if one is not None:
            assert (one == other).all() and one.dtype == other.dtype
            assert name == "truth" or (isinstance(one, np.memmap) and not isinstance(other, np.memmap))


def test_a_threshold_and_a_rank_of_many_rows_take_no_memory_for_each_row(tmp_path: Path) -> None:
    rows = 3_000_000
    given = data(tmp_path / "val", rows)
    ranked(learned(), data(tmp_path / "few", 1000), "max_f1", metric("auroc"), tmp_path)
    tracemalloc.start()
    try:
        found = ranked(learned(), given, "max_f1", metric("auroc"), tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found > 0.7
    assert peak < 7 * rows, "numpy tells of each array: not one of eight bytes a row was in memory"


def test_epochs_are_judged_on_disk_as_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    val = planted("binary", 2_000, 2)
    what: dict[str, Any] = {"patience": 2, "metric": metric("auroc"), "val": val}
    expected = run(lesson(**what), tmp_path / "memory")
    monkeypatch.setattr(disk_room, "LITTLE", 0)
    found = run(lesson(**what), tmp_path / "disk")
    assert found.history == expected.history and bits(found) == bits(expected)


def test_an_epoch_s_look_at_many_rows_of_val_takes_no_memory_for_each_row(tmp_path: Path) -> None:
    rows = 3_000_000
    val = data(tmp_path / "val", rows).val
    few = Encoded(np.ones((50, 1), np.float32), np.zeros((50, 0), np.int32), np.arange(50.0) % 2)
    what = lesson(
        train=few,
        val=val,
        inputs=ModelInputs(numbers=1),
        target=TARGET,
        model=choose("model", "linear"),
        patience=1,
        metric=metric("auroc"),
        epochs=1,
    )
    run(lesson(epochs=1), tmp_path / "first")
    tracemalloc.start()
    try:
        found = run(what, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "val_auroc" in found.history[0]
    assert peak < 7 * rows, "numpy tells of each array: not one of eight bytes a row was in memory"
