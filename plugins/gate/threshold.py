"""A gate that holds one measure against fixed bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from mlspec.sdk.gate import Gate, GateVerdict


class Threshold(Gate):
    """Passes where a measure lies within its bounds; a measure that could not be told never does."""

    at_least: float | None = None
    """The lowest value that passes."""
    at_most: float | None = None
    """The highest value that passes."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds:
            raise ValueError("a threshold needs 'at_least' or 'at_most'")
        if not all(map(math.isfinite, bounds)):
            raise ValueError("a bound must be a finite number")
        if bounds != sorted(bounds):
            raise ValueError(
                f"'at_least' ({self.at_least:g}) lies above 'at_most' ({self.at_most:g}): nothing can pass"
            )
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one gate with a lower bound, and one with both."""
        return (
            cls.revive({"metric": "accuracy", "at_least": 0.9}),
            cls.revive({"metric": "log_loss", "at_least": 0.0, "at_most": 0.5}),
        )

    def judge(self, metrics: Mapping[str, Any]) -> GateVerdict:
        """Judge the measure; missing, null and NaN fail."""
        value = metrics.get(self.metric)
        bounds = " and ".join(
            f"{word} {bound:g}"
            for word, bound in (("at least", self.at_least), ("at most", self.at_most))
            if bound is not None
        )
        if value is None or math.isnan(value):
            why = "was not measured" if self.metric not in metrics else "could not be told from these rows"
            return GateVerdict(False, f"{self.metric} {why}, must be {bounds}")
        low = self.at_least is None or value >= self.at_least
        high = self.at_most is None or value <= self.at_most
        return GateVerdict(low and high, f"{self.metric} is {_digits(value, self)}, must be {bounds}")


def _digits(value: float, gate: Threshold) -> str:
    """Return the value with as many digits as tell it from the bounds."""
    for digits in range(4, 17):
        text = f"{value:.{digits}g}"
        shown = float(text)
        if all(
            (shown >= bound) == (value >= bound) and (shown == bound) == (value == bound)
            for bound in (gate.at_least, gate.at_most)
            if bound is not None
        ):
            return text
    return repr(value)
