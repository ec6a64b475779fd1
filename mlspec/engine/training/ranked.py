"""What a trial is ranked by."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from mlspec.engine.judging.answers import answers
from mlspec.engine.training.learned import Learned
from mlspec.engine.training.prepared import Prepared
from mlspec.errors import StepError
from mlspec.sdk.metric import Metric


def ranked(
    learned: Learned, data: Prepared, threshold: float | Literal["max_f1"], metric: Metric, folder: Path
) -> float:
    """Return a measure of a trained model on the val split, with the weights and threshold that would ship.

    Args:
        learned: The model.
        data: Its rows.
        threshold: Probability from which a binary answer is the positive class, or how it is chosen.
        metric: The measure.
        folder: Scratch.

    Raises:
        StepError: no row is in the val split, or these rows cannot tell.
    """
    if data.val is None:
        raise StepError(
            "trials are ranked on the val split, and no row is in it",
            where="data.split",
            fix="set data.split.val above 0",
        )
    chosen = learned.threshold(data, threshold, folder)
    found = answers(learned.judged(data, folder), data.val, data.target, 0.5 if chosen is None else chosen)
    value = metric.value(found)
    if not math.isfinite(value):
        raise StepError(f"'{metric.kind}' is no finite number on the val split", where="sweep.metric")
    return value
