"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Any


def figure(value: Any) -> str:
    """Return a value with four significant digits, whole numbers with their thousands set apart.

    Example:
        >>> figure(0.9735123), figure(1234567), figure(1234567.8), figure(0.0000123), figure(None)
        ('0.9735', '1,234,567', '1,234,568', '1.23e-05', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}" if size < 1e12 else f"{value:.3g}"
    return f"{value:.4g}" if size >= 1e-3 or value == 0 else f"{value:.3g}"


def share(part: float, whole: float) -> str:
    """Return a fraction in percent.

    Example:
        >>> share(0, 569), share(1, 5000), share(341, 569)
        ('0 %', '0.02 %', '59.9 %')
    """
    if not whole or not part:
        return "0 %"
    return f"{100 * part / whole:.3g} %"


def duration(seconds: float) -> str:
    """Return a time in words.

    Example:
        >>> duration(4.12), duration(59.4), duration(75), duration(7260)
        ('4.1 s', '59 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
