"""Measures as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlspec.sdk.metric import Answers, Metric


def measure(answers: Answers, metrics: Sequence[Metric]) -> dict[str, float | None]:
    """Return each measure by its name; None where these rows cannot tell, or the number is not finite."""
    found = {metric.kind: float(metric.value(answers)) for metric in metrics}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
