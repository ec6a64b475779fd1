"""How many of the rows said to be of a class are."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Precision(Metric):
    """Right positive answers among all positive answers; for several classes the mean over them (macro).

    A class that is never answered counts 0, as in scikit-learn.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the precision; NaN where a binary target's rows are neither positive nor said to be."""
        from mlspec.engine.judging.confusion import confusion
        from mlspec.engine.judging.share import share

        cells = confusion(answers)
        return share(cells.diagonal(), cells.sum(axis=0), cells, answers.kind)
