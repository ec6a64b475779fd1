"""What a sweep searches, dimension by dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.sdk.frozen import freeze
from mlspec.spec.resolved import resolved
from mlspec.spec.spec import Spec
from mlspec.spec.sweep import Searched
from mlspec.spec.varied import varied

HALF = 0.5
DIGITS = 4
"""Digits of a number that is tried: what a person would write into a spec."""


@dataclass(frozen=True)
class Dimension:
    """One key, and the values that it may take."""

    name: str
    """The key as the spec has it, such as `training.optimizer.lr`."""
    searched: Searched
    whole: bool
    """Whether only whole numbers are tried."""

    @property
    def path(self) -> KeyPath:
        """The key's path."""
        return path_of(self.name)

    @cached_property
    def choices(self) -> tuple[Any, ...] | None:
        """The values as plain data; None where there are bounds."""
        return None if self.searched.choices is None else tuple(resolved(self.searched.choices))

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value."""
        assert self.searched.low is not None and self.searched.high is not None
        return self.searched.low, self.searched.high

    @property
    def first(self) -> Any:
        """One value that may be tried."""
        return self.bounds[0] if self.choices is None else self.choices[0]

    def rounded(self, value: float) -> float:
        """Return a number with few digits, within the bounds.

        Example:
            >>> Dimension("a.b", Searched(low=0, high=0.12345), False).rounded(0.0123456)
            0.01235
        """
        if self.whole:
            return int(value)
        low, high = self.bounds
        return min(max(float(f"{value:.{DIGITS}g}"), float(low)), float(high))


def space(parameters: Mapping[str, Searched], composed: Composed) -> tuple[Dimension, ...]:
    """Return the dimensions of a sweep whose parameters were found sound.

    Args:
        parameters: `sweep.parameters`.
        composed: The spec: a key that refuses the half between two whole bounds takes whole numbers.
    """
    return tuple(Dimension(name, one, _whole(name, one, composed)) for name, one in parameters.items())


def path_of(name: str) -> KeyPath:
    """Return the path of a dotted key."""
    return tuple(name.split("."))


def _whole(name: str, searched: Searched, composed: Composed) -> bool:
    low, high = searched.low, searched.high
    if not (isinstance(low, int) and isinstance(high, int)):
        return False
    if searched.step is not None:
        return isinstance(searched.step, int)
    if low == high:
        return True
    try:
        Spec.model_validate(freeze(varied(composed, {path_of(name): low + HALF}).tree))
    except (ValidationError, LookupError):
        return True
    return False
