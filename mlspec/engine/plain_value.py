"""A value of a table as plain JSON data."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

LONGEST = 200


def plain_value(value: Any) -> Any:
    """Return a value as text, a finite number, true, false or null; long texts are cut.

    Example:
        >>> plain_value(float("nan"))
        'nan'
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
