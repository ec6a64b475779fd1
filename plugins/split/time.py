"""`split: {kind: time}`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from mlspec.sdk.split import Split, SplitColumns

if TYPE_CHECKING:
    import ibis


class Time(Split):
    """Train on the past, judge on what came later, by `data.event_time`; an instant is never split."""

    train: float | None = Field(default=None, gt=0, lt=1)
    """Share of rows (fraction 0-1), the earliest, that train; 0.7 where nothing is said."""
    val: float | None = Field(default=None, ge=0, lt=1)
    """Share of rows (fraction 0-1), the next, that choose; 0.1 where nothing is said. 0 is legal."""
    test: float | None = Field(default=None, gt=0, lt=1)
    """Share of rows (fraction 0-1), the last, that judge; 0.2 where nothing is said."""
    val_from: str | None = None
    """Instead of shares: the ISO 8601 time from which rows choose; UTC where it names no zone."""
    test_from: str | None = None
    """Instead of shares: the ISO 8601 time from which rows judge; UTC where it names no zone."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        shares = (self.train, self.val, self.test)
        if self.test_from is None:
            if self.val_from is not None:
                raise ValueError("val_from needs test_from")
            if any(share is not None for share in shares):
                if self.train is None or self.test is None:
                    raise ValueError("expected train, val and test together")
                whole = sum(share or 0 for share in shares)
                if abs(whole - 1) > 1e-9:
                    raise ValueError(f"train, val and test must sum to 1, and are {whole:.6g}")
            return self
        if any(share is not None for share in shares):
            raise ValueError("expected shares or times, not both")
        if self.val_from is not None and _instant(self.val_from) >= _instant(self.test_from):
            raise ValueError("val_from must lie before test_from")
        _instant(self.test_from)
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls.revive({}),
            cls.revive({"train": 0.5, "val": 0, "test": 0.5}),
            cls.revive({"val_from": "2024-01-04", "test_from": "2024-01-06T00:00:00Z"}),
        )

    def has_val(self) -> bool:
        """Return whether rows can go to val."""
        if self.test_from is not None:
            return self.val_from is not None
        return self.train is None or bool(self.val)

    def assign(self, table: ibis.Table, seed: int, columns: SplitColumns) -> ibis.Table:
        """Return the table with `mlspec_split`.

        Raises:
            StepError: the data has no event time.
        """
        import ibis

        from mlspec.engine.preparing.shares import by_rank
        from mlspec.errors import StepError

        if columns.event_time is None:
            raise StepError(
                "a time split needs data.event_time",
                where="data.split",
                fix="event_time: {column: ..., timezone: UTC}",
            )
        time = table[columns.event_time]
        if self.test_from is not None:
            cuts = [(time < ibis.literal(_instant(self.val_from or self.test_from)), "train")]
            if self.val_from is not None:
                cuts.append((time < ibis.literal(_instant(self.test_from)), "val"))
            return table.mutate(mlspec_split=ibis.cases(*cuts, else_="test"))
        shares = (0.7, 0.1) if self.train is None else (self.train, self.val or 0.0)
        # rank() gives rows of one instant the place of the first of them.
        rank = ibis.rank().over(ibis.window(order_by=time))
        return table.mutate(mlspec_split=by_rank(rank, table.mlspec_row.count().over(ibis.window()), shares))


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is no ISO 8601 time") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
