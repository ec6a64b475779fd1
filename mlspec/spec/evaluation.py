"""`evaluation:`: how good the exported file must be."""

from __future__ import annotations

from typing import Annotated

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.fields import Column
from mlspec.sdk.frozen import Section
from mlspec.sdk.gate import Gate
from mlspec.sdk.metric import Metric
from mlspec.sdk.slot import Slot
from mlspec.sdk.training import Loss


class Evaluation(Section):
    """How good the exported file is on the test split, and how good it must be."""

    metrics: tuple[Annotated[Metric, Slot("metric")], ...] | None = None
    """What is measured; the usual measures of the target's kind where absent."""
    slices: tuple[Column, ...] = ()
    """Columns by whose values the measures are told again."""
    gates: tuple[Annotated[Gate, Slot("gate", default="threshold")], ...] = ()
    """What must hold before anything is packaged."""


def default_metrics(kind: TargetKind, loss: Loss | None = None) -> tuple[Metric, ...]:
    """Return what is measured for a kind of target where the spec names nothing.

    A quantile's own measure comes with the loss that teaches it: the others judge a mean or a median.

    Example:
        >>> [metric.kind for metric in default_metrics("number")]
        ['mae', 'rmse', 'r2']
    """
    names = {
        "binary": ("accuracy", "auroc", "average_precision", "f1", "log_loss"),
        "category": ("accuracy", "balanced_accuracy", "f1", "log_loss"),
        "number": ("mae", "rmse", "r2"),
    }[kind]
    metrics: tuple[Metric, ...] = tuple(Slot("metric").choose(name) for name in names)  # type: ignore[misc]
    if kind == "number" and loss is not None and loss.kind == "quantile":
        own = Slot("metric").choose({"kind": "pinball", "q": loss.model_dump()["q"]})
        assert isinstance(own, Metric)
        metrics = (own, *metrics)
    return metrics
