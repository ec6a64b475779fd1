"""A gate that holds a measure against fixed bounds, a baseline or another export, in whole or by slice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.gate import BASELINE, Gate, GateVerdict, Measured, Measures, SliceMeasures
from mlspec.sdk.interval_text import interval_text

_Change = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Threshold(Gate):
    """Passes where a measure lies within its bounds; a measure that could not be told never does."""

    revision = 2

    at_least: float | None = None
    """The lowest value that passes."""
    at_most: float | None = None
    """The highest value that passes."""
    against: str | None = None
    """What it is held against: `baseline`, the numbers that `mlspec accept` keeps, or another export."""
    may_drop: _Change | None = None
    """How far below the other value the measure may lie, in its unit; where more is better."""
    may_rise: _Change | None = None
    """How far above the other value the measure may lie, in its unit; where less is better."""
    slices: Literal["all"] | tuple[str, ...] = ()
    """Slices that must each pass: `all`, or columns of `evaluation.slices`, or one as `column=value`."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        changes = [name for name in ("may_drop", "may_rise") if getattr(self, name) is not None]
        if not bounds and self.against is None and not changes:
            raise ValueError("a threshold needs 'at_least' or 'at_most', or 'against' with a change")
        if changes and self.against is None:
            raise ValueError(f"'{changes[0]}' needs 'against': baseline, or an export")
        if self.against is not None and not changes:
            raise ValueError("'against' needs 'may_drop' or 'may_rise': how much worse may it be")
        if not all(map(math.isfinite, bounds)):
            raise ValueError("a bound must be a finite number")
        if bounds != sorted(bounds):
            raise ValueError(
                f"'at_least' ({self.at_least:g}) lies above 'at_most' ({self.at_most:g}): nothing can pass"
            )
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return gates with a lower bound, with both, against the baseline, and on slices."""
        return (
            cls.revive({"metric": "accuracy", "at_least": 0.9}),
            cls.revive({"metric": "log_loss", "at_least": 0.0, "at_most": 0.5}),
            cls.revive({"metric": "accuracy", "against": "baseline", "may_drop": 0.005}),
            cls.revive({"metric": "mae", "against": "baseline", "may_rise": 0.5}),
            cls.revive({"metric": "accuracy", "slices": "all", "at_least": 0.75}),
        )

    def held_against(self) -> str | None:
        """Return the baseline, an export, or None."""
        return self.against

    def slice_names(self) -> tuple[str, ...] | Literal["all"]:
        """Return the slices that must pass."""
        return self.slices

    def wrong_way(self, better: Literal["higher", "lower"]) -> str | None:
        """Return `may_rise` for measures of which more is better, `may_drop` for others."""
        name = "may_rise" if better == "higher" else "may_drop"
        return name if getattr(self, name) is not None else None

    def judge(self, measured: Measured) -> GateVerdict:
        """Judge the measure of all rows, or of each slice; missing, null and NaN fail."""
        if not self.slices:
            return self._one("", measured.whole, None if measured.other is None else measured.other.whole)
        return self._each(measured)

    def _one(self, where: str, found: Measures, other: Measures | None) -> GateVerdict:
        value = found.metrics.get(self.metric)
        bounds = tuple(self._bounds(other))
        must = " and ".join(text for _, _, text in bounds)
        subject = f"{self.metric}{where}"
        if value is None or math.isnan(value):
            why = (
                "was not measured"
                if self.metric not in found.metrics
                else "could not be told from these rows"
            )
            return GateVerdict(False, f"{subject} {why}" + (f", must be {must}" if must else ""))
        told = f"{subject} is {_digits(value, tuple(bound for _, bound, _ in bounds))}"
        interval = found.intervals.get(self.metric)
        told += f" ({interval_text(*interval)})" if interval else ""
        told += f", must be {must}" if must else ""
        missing = self._missing(other)
        if missing and self.against != BASELINE:
            return GateVerdict(False, f"{told}; {missing}")
        passed = all(value >= bound if low else value <= bound for low, bound, _ in bounds)
        return GateVerdict(passed, f"{told}; {missing}" if missing else told)

    def _bounds(self, other: Measures | None) -> Iterator[tuple[bool, float, str]]:
        """Yield whether each bound is a lower one, its value, and how it is said."""
        if self.at_least is not None:
            yield True, self.at_least, f"at least {self.at_least:g}"
        if self.at_most is not None:
            yield False, self.at_most, f"at most {self.at_most:g}"
        if self.against is None or other is None or self._missing(other) is not None:
            return
        then = other.metrics[self.metric]
        whose = (
            f"the baseline's {then:.4g}" if self.against == BASELINE else f"{then:.4g} of '{self.against}'"
        )
        # A sum of decimals that a user writes must be what the user sees: 0.9 - 0.005 is 0.895.
        if self.may_drop is not None:
            bound = float(f"{then - self.may_drop:.12g}")
            yield True, bound, f"at least {bound:.4g} ({whose} may drop by {self.may_drop:g})"
        if self.may_rise is not None:
            bound = float(f"{then + self.may_rise:.12g}")
            yield False, bound, f"at most {bound:.4g} ({whose} may rise by {self.may_rise:g})"

    def _missing(self, other: Measures | None) -> str | None:
        """Return what is said where there is nothing to be held against."""
        if self.against is None or (other is not None and other.metrics.get(self.metric) is not None):
            return None
        if self.against == BASELINE:
            return "no baseline of it yet: `mlspec accept` makes one"
        return f"'{self.against}' has no such number"

    def _each(self, measured: Measured) -> GateVerdict:
        chosen, strange = _chosen(measured.slices, self.slices)
        if strange or not chosen:
            which = f"there is no slice '{strange[0]}'" if strange else "there are no slices"
            return GateVerdict(False, f"{which} that {self.metric} could be measured on")
        others = {part.name: part.measures for part in measured.other.slices} if measured.other else {}
        told, untold = [], 0
        for part in chosen:
            value = part.measures.metrics.get(self.metric) if part.measures is not None else None
            if part.measures is None or value is None:
                untold += 1
                continue
            where = f" of {part.name} ({part.rows} rows)"
            told.append((value, self._one(where, part.measures, others.get(part.name))))
        rest = f"; {untold} of {len(chosen)} slices have too few rows to tell" if untold else ""
        if not told:
            return GateVerdict(False, f"{self.metric} is not known of any slice{rest}")
        failed = [verdict for _, verdict in told if not verdict.passed]
        if failed:
            return GateVerdict(False, "; ".join(verdict.text for verdict in failed) + rest)
        up = self.at_least is not None or self.may_drop is not None
        worst = (min if up else max)(told, key=lambda one: one[0])[1]
        count = "1 slice passes" if len(told) == 1 else f"all {len(told)} slices pass, the worst"
        return GateVerdict(True, f"{count}: {worst.text}{rest}")


def _chosen(
    slices: tuple[SliceMeasures, ...], names: tuple[str, ...] | Literal["all"]
) -> tuple[tuple[SliceMeasures, ...], tuple[str, ...]]:
    """Return the slices that are named, and the names that no slice has."""
    if names == "all":
        return slices, ()
    known = {part.column for part in slices} | {part.name for part in slices}
    chosen = tuple(part for part in slices if part.column in names or part.name in names)
    return chosen, tuple(name for name in names if name not in known)


def _digits(value: float, bounds: tuple[float, ...]) -> str:
    """Return the value with as many digits as tell it from the bounds."""
    for digits in range(4, 17):
        text = f"{value:.{digits}g}"
        shown = float(text)
        if all(
            (shown >= bound) == (value >= bound) and (shown == bound) == (value == bound) for bound in bounds
        ):
            return text
    return repr(value)
