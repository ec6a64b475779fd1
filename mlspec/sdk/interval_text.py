"""How far a measure is known, as people read it."""

from __future__ import annotations

import math


def interval_text(low: float, high: float) -> str:
    """Return an interval with as many digits as its width is worth.

    Example:
        >>> interval_text(0.94149, 0.99312), interval_text(-0.3, 0.1), interval_text(38.11, 57.9)
        ('0.94-0.99', '-0.30 to 0.10', '38-58')
    """
    size = math.floor(math.log10(high - low))
    digits = max(2, -size) if size < 0 else int(size == 0)
    first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return f"{first} to {last}" if low < 0 else f"{first}-{last}"
