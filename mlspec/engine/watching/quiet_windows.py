"""Which windows saw fewer rows than they should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.engine.watching.moment import in_words

MOST = 10_000
"""Windows that are looked at, the latest: a service that was away for years is no list of years."""


def quiet_windows(
    rows: Mapping[float, int], every: float, at_least: int, now: float, since: float | None = None
) -> list[dict[str, Any]]:
    """Return the windows with fewer rows than asked for, earliest first.

    They are looked at from the first that is known to the last that has ended; of the one that runs now,
    nothing can be said yet.

    Args:
        rows: Rows of each window that a service was up in, by its start in seconds since 1970.
        every: Length of a window in seconds.
        at_least: Rows that each should see.
        now: Seconds since 1970.
        since: Seconds since 1970; windows that ended before are left out.

    Returns:
        `since`, `until`, `rows` and `up`: whether a service was there, and heard so little.

    Example:
        >>> found = quiet_windows({0.0: 50, 120.0: 3, 180.0: 9}, 60.0, at_least=10, now=235.0)
        >>> [(one["since"][14:19], one["rows"], one["up"]) for one in found]
        [('01:00', 0, False), ('02:00', 3, True)]
    """
    if not rows:
        return []
    first = min(rows) if since is None else max(min(rows), since // every * every)
    last = int((now - first) // every)
    told = []
    for place in range(max(0, last - MOST), last):
        start = first + place * every
        seen = rows.get(start)
        if (seen or 0) < at_least and (since is None or start + every > since):
            told.append(
                {
                    "since": in_words(start),
                    "until": in_words(start + every),
                    "rows": seen or 0,
                    "up": seen is not None,
                }
            )
    return told
