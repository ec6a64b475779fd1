"""`sweep:`: what `mlspec sweep` searches, and by what it ranks. No other verb looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mlspec.sdk.fields import KindOf
from mlspec.sdk.frozen import Section


class Searched(Section):
    """`sweep.parameters.*`: from where to where one key is searched, or among what."""

    low: int | float | None = None
    """The least value that is tried."""
    high: int | float | None = None
    """The greatest value that is tried."""
    log: bool = False
    """Whether small values are looked at as closely as large ones, as a learning rate asks for."""
    step: int | float | None = Field(default=None, gt=0)
    """Distance between two values; without it every number in between may be tried."""
    choices: Annotated[tuple[Any, ...], Field(min_length=1, max_length=100)] | None = None
    """The values that are tried, in the place of `low` and `high`. Each stands in the key's place whole, so a
    whole section may be one: `model: {choices: [{kind: linear}, {kind: mlp, hidden: [64]}]}`.
    """


class Sweep(Section):
    """What is searched, how, and what counts as better."""

    trials: int = Field(default=20, ge=1, le=10_000)
    """Trainings that are tried, those that failed or were stopped early included."""
    metric: Annotated[str, KindOf("metric")]
    """The measure by which trials are ranked: one of `evaluation.metrics`, on the val split. The test split
    is never looked at, so that it stays a fair judge of the winner.
    """
    sampler: Literal["tpe", "random"] = "tpe"
    """How the next values are chosen: `tpe` learns from the trials before, `random` does not."""
    pruner: Literal["none", "median", "halving"] = "median"
    """How trials without promise are stopped after an epoch: `median` stops what is worse than half of the
    others were by then, `halving` leaves one in four to go on. Models that are fitted at once are never
    stopped.
    """
    parallel: int = Field(default=1, ge=1, le=64)
    """Trials at a time, each in a process of its own. With 1 the same spec gives the same trials."""
    parameters: Mapping[str, Searched] = Field(min_length=1)
    """Each key of `model` or `training` that is searched, written as on the command line:
    `training.optimizer.lr: {low: 1e-4, high: 0.1, log: true}`.
    """
