"""A training that is one of many, and is only there to be ranked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlspec.sdk.metric import Metric


class Pruned(Exception):
    """A trial that goes on no longer: others were better by then."""


@dataclass(frozen=True)
class Trial:
    """What a training that is ranked tells of itself."""

    metric: Metric
    """By which it is ranked, on the val split."""
    told: Callable[[int, float], None]
    """Told the epoch (1-based) and the measure after it; may raise `Pruned`."""
    ended: Callable[[float, int], None]
    """Told the measure of what would ship, and how many epochs it took."""
