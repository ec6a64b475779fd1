"""A trained model whose probabilities are put right on the val split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.judging.answers import answers
from mlspec.engine.on_disk import beside
from mlspec.engine.training.learned import Learned
from mlspec.engine.training.prepared import Prepared
from mlspec.errors import StepError
from mlspec.sdk.calibration import Calibration
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.metric import Metric
from mlspec.sdk.slot import Slot

PARTS = 5
"""Parts of val: each is judged after a fit on the others, so that no row judges what was fitted to it."""
MEASURES = ("log_loss", "brier", "calibration_error")
FEWEST = 20
"""Rows of val, at least, of which some are of another class."""


def calibrated(
    learned: Learned, data: Prepared, calibration: Calibration, seed: int, folder: Path
) -> tuple[Learned, dict[str, Any]]:
    """Return the model with calibrated scores, and what was found.

    Args:
        learned: As it was trained.
        data: Its rows; val is what it is fitted on.
        calibration: How.
        seed: Decides which rows of val judge together.
        folder: Scratch.

    Returns:
        The model; `options`, `found` (what `Calibration.fit` gave), and on `rows` rows of val the measures
        `before` and `after`: those of each row by a fit on other rows.

    Raises:
        StepError: val has too few rows, or rows of one class only.
    """
    val = data.val
    if val is None or val.rows < FEWEST or len(np.unique(val.target)) < 2:
        rows = 0 if val is None else val.rows
        raise StepError(
            f"calibration looks at the val split, and {rows} rows of it cannot tell",
            where="training.calibration",
            fix=f"let data.split leave {FEWEST} rows of two classes to val, better a thousand",
        )
    scores, truth = learned.judged(data, folder), val.target.astype(np.int64)
    weight = np.ones(val.rows) if val.weight is None else val.weight.astype(np.float64)
    found = calibration.fit(scores, truth, weight)
    apart = beside(scores, scores.shape, np.float32)
    part = np.random.default_rng(abs(seed)).permutation(val.rows) % PARTS
    for place in range(PARTS):
        own = part == place
        told = calibration.fit(scores[~own], truth[~own], weight[~own])
        apart[own] = calibration.apply(told, scores[own])

    def changed(rows: Encoded) -> NDArray[np.float32]:
        return calibration.apply(found, learned.scores(rows))

    record = {
        "options": calibration.model_dump(mode="json"),
        "found": found,
        "rows": val.rows,
        "before": _measured(scores, data),
        "after": _measured(apart, data),
    }
    return replace(learned, scores=changed), record


def _measured(scores: NDArray[np.float32], data: Prepared) -> Mapping[str, float]:
    assert data.val is not None
    judged = answers(scores, data.val, data.target)
    found = {}
    for name in MEASURES:
        metric = Slot("metric").choose(name)
        assert isinstance(metric, Metric)
        found[name] = metric.value(judged)
    return found
