"""`monitoring:`: what watches the deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlspec.sdk.fields import Name, NoEffect
from mlspec.sdk.frozen import Section
from mlspec.sdk.monitor import Monitor
from mlspec.sdk.slot import Slot


class Drift(Section):
    """`monitoring.drift`: when a change of the data is told."""

    against: Literal["reference"] = "reference"
    """The training data's profile."""
    false_alarms: float = Field(default=0.05, gt=0, lt=1)
    """Share (fraction 0-1) of columns told as drifted although nothing changed, at most
    (Benjamini-Hochberg).
    """
    smallest_effect: float = Field(default=0.1, ge=0, lt=1)
    """Distance (fraction 0-1: Kolmogorov-Smirnov, total variation) below which a change is not worth
    telling.
    """


class Monitoring(Section):
    """What watches the deployments. Nothing here changes a model."""

    monitors: Annotated[Mapping[Name, Annotated[Monitor, Slot("monitor")]], NoEffect()] = Field(
        default_factory=dict
    )
    """Watchers by name."""
    drift: Annotated[Drift, NoEffect()] = Drift()
    """When a change is told."""
