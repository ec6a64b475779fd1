"""Measures of rows that lie on disk are those of rows in memory, and take no memory for each row."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn

from mlspec.engine.judging.answers import probabilities_of
from mlspec.engine.judging.curves import curves
from mlspec.engine.judging.judged import Judged
from mlspec.engine.judging.measure import measure
from mlspec.engine.on_disk import PART, beside, on_disk, rising
from mlspec.engine.watching.profile import profile
from mlspec.registry import kinds
from mlspec.sdk.contract import FittedTarget
from mlspec.sdk.metric import Answers, Metric
from mlspec.sdk.slot import Slot

ROWS = 3 * PART + 17


def kept(folder: Path, values: np.ndarray) -> np.ndarray:
    """Return a copy on disk, each column in one piece."""
    found = on_disk(folder, values.T.shape, values.dtype).T
    found[:] = values
    return found


def made(kind: str, classes: int = 2) -> Answers:
    """Return answers with many ties, rows without weight, and scores that stand across the parts' edges."""
    random = np.random.default_rng(3)
    weight = random.integers(0, 3, ROWS).astype(np.float64)
    if kind == "number":
        truth = random.normal(size=ROWS)
        return Answers(kind, truth, None, None, truth + np.round(random.normal(size=ROWS), 2), weight)
    truth = random.integers(0, classes, ROWS)
    scores = np.round(random.normal(size=(ROWS, classes if classes > 2 else 1)), 1)
    scores += (truth[:, None] == np.arange(1 if classes == 2 else 0, classes)) * 0.5
    told = FittedTarget(column="y", kind=kind, classes=tuple("abcde"[:classes]))
    shares = probabilities_of(scores.astype(np.float32), told)
    return Answers(kind, truth.astype(np.float64), shares, shares.argmax(1), None, weight)


def stored(folder: Path, answers: Answers) -> Answers:
    """Return the same answers on disk."""
    columns = (answers.truth, answers.probabilities, answers.labels, answers.values, answers.weight)
    return Answers(answers.kind, *(None if column is None else kept(folder, column) for column in columns))


def suited(kind: str) -> list[Metric]:
    found = [Slot("metric").choose(name) for name in kinds("metric")]
    return [metric for metric in found if kind in metric.targets]


@pytest.mark.parametrize(("kind", "classes"), [("binary", 2), ("category", 3), ("number", 0)])
def test_measures_and_curves_of_rows_on_disk_are_those_in_memory(
    tmp_path: Path, kind: str, classes: int
) -> None:
    answers = made(kind, classes)
    disk = stored(tmp_path, answers)
    assert measure(disk, suited(kind)) == measure(answers, suited(kind))
    names = tuple("abcde"[:classes])
    assert curves(Judged(disk, names)) == curves(Judged(answers, names))
    chosen = np.random.default_rng(5).random(ROWS) < 0.7
    assert measure(Judged(disk, names).of(chosen), suited(kind)) == measure(
        Judged(answers, names).of(chosen), suited(kind)
    )


def test_ranks_across_the_edges_of_parts_are_those_of_scikit_learn() -> None:
    answers = made("binary")
    said, weight = answers.probabilities[:, 1], answers.weight
    found = measure(answers, suited("binary"))
    assert found["auroc"] == pytest.approx(
        sklearn.roc_auc_score(answers.truth, said, sample_weight=weight), rel=1e-9
    )
    assert found["average_precision"] == pytest.approx(
        sklearn.average_precision_score(answers.truth, said, sample_weight=weight), rel=1e-9
    )


def test_rows_are_ordered_on_disk_as_a_stable_sort_orders_them(tmp_path: Path) -> None:
    values = kept(tmp_path, np.random.default_rng(1).integers(0, 99, ROWS).astype(np.float64))
    found = np.concatenate(list(rising(lambda here: values[here], values)))
    assert (found == np.argsort(np.asarray(values), kind="stable")).all()


def test_a_profile_of_numbers_on_disk_is_that_of_numbers_in_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=ROWS)
    values[::7] = np.nan
    disk = kept(tmp_path, values)
    assert profile(ROWS, [("value", disk)]) == profile(ROWS, [("value", values)])
    assert np.isnan(disk[0]), "the numbers themselves were sorted"


def test_nothing_stays_in_the_folder(tmp_path: Path) -> None:
    array = on_disk(tmp_path, (10, 3), np.float64)
    array[:] = 1.0
    also = beside(array[2:], (5,), np.int64)
    also[:] = 2
    assert isinstance(also, np.memmap)
    assert not isinstance(beside(np.zeros(3), (5,), np.int64), np.memmap)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        on_disk(tmp_path, (10,), np.float64)


def test_measures_of_many_rows_take_no_memory_for_each_row(tmp_path: Path) -> None:
    rows = 4_000_000
    random = np.random.default_rng(4)
    truth, shares = on_disk(tmp_path, (rows,), np.float64), on_disk(tmp_path, (2, rows), np.float64).T
    labels = on_disk(tmp_path, (rows,), np.int64)
    for start in range(0, rows, 100_000):
        here = slice(start, start + 100_000)
        truth[here] = random.integers(0, 2, 100_000)
        shares[here, 1] = random.random(100_000)
        shares[here, 0] = 1 - shares[here, 1]
        labels[here] = shares[here, 1] > 0.5
    answers = Answers("binary", truth, shares, labels, None)
    measure(answers.of(slice(0, 1000)), suited("binary"))
    tracemalloc.start()
    try:
        found = measure(answers, suited("binary"))
        curves(Judged(answers, ("no", "yes")))
        profile(rows, [("probability_yes", shares[:, 1])])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["auroc"] == pytest.approx(0.5, abs=0.01)
    assert peak < 7 * rows, "numpy tells of each array: not one of eight bytes a row was in memory"
