"""From a naive time to an instant, as SQL, by the same zone rules as the door's."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfoNotFoundError

from mlspec.engine.zone import zone
from mlspec.errors import StepError


def local_time(local: str, timezone: str) -> str:
    """Return SQL of the microseconds since 1970 UTC of the instant that a naive time means in a zone.

    DuckDB has zone rules of its own, of another release than Python's: it is told the door's rules instead.

    Args:
        local: SQL of a naive time's microseconds since 1970; it is repeated often, so a column's name.
        timezone: An IANA name such as `Europe/Berlin`.

    Raises:
        StepError: no zone has this name.
    """
    return local if timezone == "UTC" else f"{local} - {local_offset(local, timezone)}"


def local_offset(local: str, timezone: str) -> str:
    """Return SQL of the microseconds that a naive time in a zone is ahead of UTC; see `local_time`.

    Raises:
        StepError: no zone has this name.
    """
    try:
        rules = zone(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise StepError(
            f"no time zone is called '{timezone}'", where="data", fix="such as Europe/Berlin"
        ) from error
    bounds = [round(bound * 1000) for bound in rules.starts + rules.offsets[1:]]
    offsets = [round(offset * 1000) for offset in rules.offsets]
    return _search(local, bounds, offsets)


def _search(local: str, bounds: Sequence[int], offsets: Sequence[int]) -> str:
    """Return SQL of `offsets[number of bounds at or before local]`, found by halves."""
    if not bounds:
        return f"({offsets[0]})"
    middle = len(bounds) // 2
    before = _search(local, bounds[:middle], offsets[: middle + 1])
    after = _search(local, bounds[middle + 1 :], offsets[middle + 1 :])
    return f"CASE WHEN {local} < {bounds[middle]} THEN {before} ELSE {after} END"
