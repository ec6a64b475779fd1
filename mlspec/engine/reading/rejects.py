"""Rows whose values could not be read: their reasons, and whether they are too many."""

from __future__ import annotations

from collections.abc import Sequence

from mlspec.engine.reading.cast import Cast
from mlspec.engine.reading.reject import Reject
from mlspec.errors import CheckFailed, StepError


def reasons(casts: Sequence[Cast]) -> list[tuple[str, str]]:
    """Return column and reason of each check, in the order of their codes."""
    return [(item.role.column, why) for item in casts for _, why in item.checks]


def reject_example(row: int, raw: str | None) -> str:
    """Return a row as an example of a reject."""
    return f"row {row}: {'null' if raw is None else repr(raw)}"


def account(rows: int, rejects: Sequence[Reject], max_rejects: float) -> None:
    """Refuse a source without rows, or with too many unreadable ones.

    Args:
        rows: That were read, rejected ones with them.
        rejects: By reason.
        max_rejects: Share of rows (fraction 0-1) that may be unreadable.

    Raises:
        StepError: there are no rows.
        CheckFailed: more rows are unreadable than `data.max_rejects` allows.
    """
    rejected = sum(item.rows for item in rejects)
    if rejected > max_rejects * rows:
        share = rejected / rows
        lines = "".join(f"\n  {item}" for item in rejects[:10])
        raise CheckFailed(
            f"{rejected} of {rows} rows are unreadable ({share:.3%}), "
            f"and data.max_rejects allows {max_rejects:.3%}:{lines}",
            where="data",
            fix=f"mend the rows, or set data.max_rejects: {_above(share)}",
        )
    if rows == rejected:
        raise StepError(
            "the source has no rows" if rows == 0 else "no row of the source is readable",
            where="data.source",
        )


def _above(share: float) -> str:
    return f"{share * 1.001 + 1e-6:.4g}"
