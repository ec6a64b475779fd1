"""`split: {kind: random}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from mlspec.sdk.split import Draw, Split, SplitColumns

if TYPE_CHECKING:
    import ibis


class Random(Split):
    """Put rows into splits by a hash of the seed and the row's place: the same on every machine, without a
    shuffle.
    """

    train: float = Field(default=0.7, gt=0, lt=1)
    """Share of rows (fraction 0-1) that train."""
    val: float = Field(default=0.1, ge=0, lt=1)
    """Share of rows (fraction 0-1) that choose: early stopping, thresholds. 0 is legal."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of rows (fraction 0-1) that judge."""
    stratify: bool | None = None
    """Give every class the same shares in each split, to the row; where absent, so for targets with classes.
    """

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError(
                f"train, val and test must sum to 1, and are {self.train + self.val + self.test:.6g}"
            )
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls.revive({}),
            cls.revive({"stratify": False}),
            cls.revive({"train": 0.8, "val": 0, "test": 0.2}),
        )

    def has_val(self) -> bool:
        """Return whether val has a share."""
        return self.val > 0

    def draw(self, table: ibis.Table, seed: int, columns: SplitColumns) -> Draw | None:
        """Return how rows are drawn where classes keep their shares.

        Raises:
            StepError: `stratify` was asked for, and the target has no classes.
        """
        from mlspec.errors import StepError

        if self.stratify and not columns.stratify:
            raise StepError(
                f"'{columns.target}' has no classes to stratify by",
                where="data.split.stratify",
                fix="take it out",
            )
        if self.stratify is False or not columns.stratify:
            return None
        return Draw(columns.target, _text(table, seed), (self.train, self.val))

    def assign(self, table: ibis.Table, seed: int, columns: SplitColumns) -> ibis.Table:
        """Return the table with `mlspec_split`.

        Raises:
            StepError: `stratify` was asked for, and the target has no classes.
        """
        from mlspec.engine.preparing.shares import by_draw, by_hash

        draw = self.draw(table, seed, columns)
        if draw is not None:
            return by_draw(table, draw)
        return table.mutate(mlspec_split=by_hash(_text(table, seed), (self.train, self.val)))


def _text(table: ibis.Table, seed: int) -> ibis.StringColumn:
    import ibis

    return ibis.literal(f"{seed}:") + table.mlspec_row.cast("string")
