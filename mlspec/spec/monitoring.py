"""`monitoring:`: what watches the deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlspec.sdk.fields import Column, Name, NoEffect
from mlspec.sdk.frozen import Section
from mlspec.sdk.monitor import Monitor
from mlspec.sdk.slot import Slot


class DriftDistance(Section):
    """A raw distance in `monitoring.drift.methods`: it has no error rate, so it needs a threshold."""

    method: Literal["wasserstein", "jensen_shannon", "population_stability_index"]
    """The distance: Wasserstein's, in the column's units; Jensen-Shannon's (fraction 0-1, the square root of
    the divergence in bits); the population stability index. The last two look at the shares between the
    reference's deciles, or of categories.
    """
    threshold: float = Field(gt=0)
    """The distance from which a change is told."""


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
    methods: Mapping[
        Column,
        Literal[
            "kolmogorov_smirnov",
            "mann_whitney",
            "chi_square",
            "fisher_exact",
            "wasserstein",
            "jensen_shannon",
            "population_stability_index",
        ]
        | DriftDistance,
    ] = Field(default_factory=dict)
    """How a change of a column is told, by the column's name. A test: `kolmogorov_smirnov` (numbers, where
    nothing is said), `mann_whitney` (numbers, by ranks), `chi_square` (categories, where nothing is said),
    `fisher_exact` (two categories). Or a raw distance with its threshold.
    """


class Monitoring(Section):
    """What watches the deployments. Nothing here changes a model."""

    monitors: Annotated[Mapping[Name, Annotated[Monitor, Slot("monitor")]], NoEffect()] = Field(
        default_factory=dict
    )
    """Watchers by name."""
    segments: tuple[Column, ...] = Field(default=(), max_length=5)
    """Columns by whose values rows are watched apart, too: each of the 20 most frequent values with at least
    30 held-out rows is held against those rows, and all other values together. They are columns of text that
    the model takes; their references go into the package.
    """
    drift: Annotated[Drift, NoEffect()] = Drift()
    """When a change is told."""
