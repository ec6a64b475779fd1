"""A measure and how far it is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlspec.sdk.interval_text import interval_text


def with_interval(value: Any, interval: Sequence[float] | None) -> str:
    """Return a measure as people read it, with its interval where there is one.

    Example:
        >>> with_interval(0.97351, [0.94149, 0.99312]), with_interval(36, None), with_interval(None, None)
        ('0.9735 (0.94-0.99)', '36', 'not known')
    """
    if value is None:
        return "not known"
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text if interval is None else f"{text} ({interval_text(*interval)})"
