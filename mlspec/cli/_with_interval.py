"""A measure and how far it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def with_interval(value: Any, interval: Sequence[float] | None) -> str:
    """Return a measure as people read it, with its interval where there is one.

    Example:
        >>> with_interval(0.97351, [0.94149, 0.99312])
        '0.9735 (0.94-0.99)'
        >>> with_interval(-0.1, [-0.3, 0.1]), with_interval(41.2, [38.11, 57.9]), with_interval(36, None)
        ('-0.1000 (-0.30 to 0.10)', '41.2000 (38-58)', '36')
    """
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text if interval is None else f"{text} ({_range(*interval)})"


def _range(low: float, high: float) -> str:
    # More digits would claim to know more than resampling tells.
    size = math.floor(math.log10(high - low))
    digits = max(2, -size) if size < 0 else int(size == 0)
    first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return f"{first} to {last}" if low < 0 else f"{first}-{last}"
