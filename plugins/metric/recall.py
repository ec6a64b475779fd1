"""How many of the rows of a class are found."""

from __future__ import annotations

from typing import ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.metric import Answers, Metric


class Recall(Metric):
    """Positive rows that were found among all positive rows; for several classes the mean over them (macro).

    A class that is answered and never true counts 0, as in scikit-learn.
    """

    targets: ClassVar[tuple[TargetKind, ...]] = ("binary", "category")
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def value(self, answers: Answers) -> float:
        """Return the recall; NaN where a binary target's rows hold no positive one."""
        from mlspec.engine.judging.confusion import confusion
        from mlspec.engine.judging.share import share

        cells = confusion(answers)
        if answers.kind == "binary" and cells[-1].sum() == 0:
            return float("nan")
        return share(cells.diagonal(), cells.sum(axis=1), cells, answers.kind)
