"""The rules of a time zone as two arrays, so that the door and the feature graph go by the same ones."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Instants between which a zone's changes are known; outside, the nearest offset holds."""


@dataclass(frozen=True)
class Zone:
    """Offsets of local time from UTC."""

    starts: NDArray[np.float64]
    """`[changes] float64`, milliseconds since 1970 UTC at which another offset begins, ascending."""
    offsets: NDArray[np.float64]
    """`[changes + 1] float64`, milliseconds to add to UTC before the first change and after each."""

    def to_utc(self, local: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the instants of wall-clock times, both in milliseconds since 1970.

        A time that the clock shows twice is its second pass; one that it skips is read with the offset before
        the change. DuckDB reads naive times so as well.
        """
        return np.asarray(
            local - self.offsets[np.searchsorted(self.starts + self.offsets[1:], local, side="right")]
        )


@functools.lru_cache(maxsize=64)
def zone(name: str) -> Zone:
    """Return the rules of an IANA zone such as `Europe/Berlin` between 1900 and 2100.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: no zone has this name.
    """
    rules, day = ZoneInfo(name), timedelta(days=1)
    before, moment = _offset(rules, FIRST), FIRST
    starts: list[float] = []
    offsets = [before]
    while moment < LAST:
        after = _offset(rules, moment + day)
        if after != before:
            starts.append(_change(rules, moment, moment + day).timestamp() * 1000)
            offsets.append(after)
        before, moment = after, moment + day
    return Zone(np.array(starts, np.float64), np.array(offsets, np.float64))


def _offset(rules: ZoneInfo, moment: datetime) -> float:
    found = moment.astimezone(rules).utcoffset()
    return 0.0 if found is None else found.total_seconds() * 1000


def _change(rules: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the first second of (low, high] with the offset of its end."""
    after = _offset(rules, high)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (low, middle) if _offset(rules, middle) == after else (middle, high)
    return high
