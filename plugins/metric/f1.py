"""The harmonic mean of precision and recall."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class F1(Metric):
    """Twice the right positive answers over positive answers plus positive rows; macro for many classes."""

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return F1; NaN where a binary target's rows are neither positive nor said to be."""
        from mlspec.engine.judging.confusion import confusion
        from mlspec.engine.judging.share import share

        cells = confusion(answers)
        return share(2 * cells.diagonal(), cells.sum(axis=0) + cells.sum(axis=1), cells, answers.kind)
