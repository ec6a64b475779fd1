"""Since when a user wants to know."""

from __future__ import annotations

from datetime import UTC, datetime

from mlspec.errors import UsageError
from mlspec.sdk.fields import seconds


def moment(text: str, now: float) -> float:
    """Return the time that a duration before now, or a time with its zone, stands for.

    Args:
        text: Such as `2h`, or `2026-05-01T08:00Z`.
        now: Seconds since 1970.

    Returns:
        Seconds since 1970.

    Raises:
        UsageError: it is neither, or the time has no zone.

    Example:
        >>> moment("2h", 10_000.0), moment("1970-01-01T01:00+01:00", 0.0)
        (2800.0, 0.0)
    """
    try:
        return now - seconds(text)
    except ValueError:
        pass
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"'{text}' is neither a duration nor a time",
            where="--since",
            fix="--since 2h, or a time with zone",
        ) from None
    if told.tzinfo is None:
        raise UsageError(f"'{text}' has no zone", where="--since", fix=f"--since {told.isoformat()}Z")
    return told.timestamp()


def in_words(at: float) -> str:
    """Return a time as reports tell it.

    Example:
        >>> in_words(0.0)
        '1970-01-01T00:00:00Z'
    """
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
