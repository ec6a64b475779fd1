"""Points of the curves that are drawn of answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.judging.confusion import confusion, weights
from mlspec.engine.judging.judged import Judged
from mlspec.engine.judging.ranking import Ranking, ranking
from mlspec.engine.on_disk import parts
from mlspec.sdk.metric import Answers

POINTS = 1_000
"""Points of a curve at most."""
PAIRS = 10_000
"""Rows of the confusion plot at most; `confusion.json` beside the plots counts all of them."""
BINS = 10
"""Groups of equal width that probabilities are put in for calibration."""
Points = list[dict[str, Any]]


def curves(judged: Judged) -> dict[str, Points]:
    """Return the points of each curve that the target's kind has, by the curve's name."""
    answers = judged.answers
    if answers.kind == "number":
        return {"residuals": _residuals(judged)}
    assert answers.probabilities is not None
    found: dict[str, Points] = {
        "confusion": _confusion(judged),
        "calibration": [],
        "roc": [],
        "precision_recall": [],
    }
    for code in range(len(judged.classes))[-1 if answers.kind == "binary" else 0 :]:
        true, score = answers.truth == code, answers.probabilities[:, code]
        steps = ranking(true, score, answers.weight)
        for name, points in (
            ("roc", _roc(steps)),
            ("precision_recall", _precision_recall(steps)),
            ("calibration", _calibration(answers, code)),
        ):
            found[name] += [{"class": judged.classes[code], **point} for point in points]
    return found


def cells(judged: Judged) -> Points:
    """Return the weight of rows for each true and answered class."""
    counts = confusion(judged.answers)
    return [
        {"actual": actual, "predicted": predicted, "weight": float(counts[row, column])}
        for row, actual in enumerate(judged.classes)
        for column, predicted in enumerate(judged.classes)
    ]


def _some(count: int) -> NDArray[np.int64]:
    """Return the places of at most `POINTS` points of a curve, with both ends."""
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(np.int64))


def _roc(steps: Ranking) -> Points:
    if not steps.told:
        return []
    points: Points = []
    for place in _some(len(steps.scores) + 1):
        before = place == 0  # above the highest score lies nothing
        hits = 0.0 if before else float(steps.positives[place - 1] / steps.positives[-1])
        misses = 0.0 if before else float(steps.negatives[place - 1] / steps.negatives[-1])
        points.append(
            {
                "false_positive_rate": misses,
                "true_positive_rate": hits,
                "threshold": None if before else float(steps.scores[place - 1]),
            }
        )
    return points


def _precision_recall(steps: Ranking) -> Points:
    if not steps.told:
        return []
    places = _some(len(steps.scores))
    hits, misses = steps.positives[places], steps.negatives[places]
    precision, recall = hits / (hits + misses), hits / steps.positives[-1]
    return [
        {"recall": float(found), "precision": float(right), "threshold": float(score)}
        for found, right, score in zip(recall, precision, steps.scores[places], strict=True)
    ]


def _calibration(answers: Answers, code: int) -> Points:
    mass, said, seen, rows, squares = np.zeros((5, BINS))
    for here in parts(len(answers.truth)):
        some = answers.of(here)
        assert some.probabilities is not None
        told = ~np.isnan(some.probabilities[:, code])
        score, true, weight = some.probabilities[told, code], some.truth[told] == code, weights(some)[told]
        groups = np.clip((score * BINS).astype(np.int64), 0, BINS - 1)
        for total, of in (
            (mass, weight),
            (said, weight * score),
            (seen, weight * true),
            (squares, weight**2),
        ):
            total += np.bincount(groups, of, BINS)
        rows += np.bincount(groups, minlength=BINS)
    return [
        {
            "said": float(said[group] / mass[group]),
            "seen": float(seen[group] / mass[group]),
            **_wilson(float(seen[group] / mass[group]), float(mass[group] ** 2 / squares[group])),
            "rows": int(rows[group]),
        }
        for group in range(BINS)
        if mass[group] > 0
    ]


def _wilson(share: float, rows: float) -> dict[str, float]:
    """Return the bounds that a share of some rows truly lies in with a confidence of 0.95.

    Args:
        share: Fraction 0-1.
        rows: How many; weighted rows count for as many as Kish's effective size.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    z = 1.959964
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return {"seen_low": max(middle - half, 0.0), "seen_high": min(middle + half, 1.0)}


def _confusion(judged: Judged) -> Points:
    """Return truth and answer of rows, which DVC counts itself; evenly taken where there are very many."""
    answers, classes = judged.answers, judged.classes
    assert answers.labels is not None
    rows = len(answers.labels)
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, PAIRS)).round().astype(np.int64))
    return [
        {"actual": classes[int(answers.truth[row])], "predicted": classes[answers.labels[row]]}
        for row in chosen
    ]


def _residuals(judged: Judged) -> Points:
    answers = judged.answers
    assert answers.values is not None
    return [
        {
            "actual": float(answers.truth[row]),
            "predicted": float(answers.values[row]),
            "residual": float(answers.truth[row] - answers.values[row]),
        }
        for row in _some(len(answers.truth))
        if np.isfinite(answers.values[row])
    ]
