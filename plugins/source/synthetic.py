"""`source: {kind: synthetic}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.context import Context
from mlspec.sdk.source import Extent, Source

if TYPE_CHECKING:
    import ibis
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

CHUNK = 65_536
"""Rows that are made at once."""


class Synthetic(Source):
    """Rows of any number whose truth is known: for benchmarks, examples and tests. The same on every machine.

    Columns are `number_0`, `number_1` ... (mean 0, deviation 1), `category_0` ... (`v0`, `v1` ...), `target`.
    With

    - weights `1, -1/2, 1/3, -1/4 ...` for the numbers,
    - effects `((level + column) mod 3 - 1) / 2` for the values of each category column,
    - `score = sum of weights * numbers + sum of effects`,
    - `noisy = score + noise * n`, where n is drawn like a number,

    the target is `noisy` itself (number), `true` where `noisy > 0` and else `false` (binary), or `low`,
    `middle` and `high`, cut at -0.7 and 0.7 (category).
    """

    rows: int = Field(default=1000, ge=1, le=2**31)
    """How many rows."""
    numbers: int = Field(default=5, ge=0, le=10_000)
    """How many columns of numbers."""
    categories: int = Field(default=3, ge=0, le=10_000)
    """How many columns of categories."""
    levels: int = Field(default=8, ge=2, le=1_000_000)
    """Values each category column has."""
    target: Literal["binary", "category", "number"] = "binary"
    """What is predicted."""
    noise: float = Field(default=0.5, ge=0)
    """Part of the target that no column tells, in standard deviations."""
    nulls: float = Field(default=0.0, ge=0, lt=1)
    """Share (fraction 0-1) of values in the input columns that are missing; the target knows them still."""
    seed: int = Field(default=0, ge=0)
    """Start of every random choice."""

    @model_validator(mode="after")
    def _some_column(self) -> Self:
        if self.numbers + self.categories == 0:
            raise ValueError("expected at least one column of numbers or categories")
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls.revive({"rows": 50}),
            cls.revive({"rows": 50, "target": "number", "categories": 0, "nulls": 0.2}),
            cls.revive({"rows": 50, "target": "category", "numbers": 0}),
        )

    def dependencies(self) -> tuple[str, ...] | None:
        """Return no files: the options say it all."""
        return ()

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the columns' names."""
        return self._names()

    def _names(self) -> tuple[str, ...]:
        numbers = (f"number_{place}" for place in range(self.numbers))
        return (*numbers, *(f"category_{place}" for place in range(self.categories)), "target")

    def _uniform(self, name: str, start: int, rows: int) -> NDArray[np.float64]:
        """Return `[rows] float64` in [0, 1): a 32-bit hash of the row under a key of the column's own."""
        import hashlib

        import numpy as np

        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        first, second = np.frombuffer(digest[:8], "<u4")
        value = np.arange(start, start + rows, dtype=np.uint64).astype(np.uint32)
        for key in (first, second):
            # Wellons' "lowbias32": every input bit moves every output bit.
            value = value ^ key
            value = (value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D)
            value = (value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B)
            value = value ^ (value >> np.uint32(16))
        return np.asarray(value, np.float64) / 2.0**32

    def _normal(self, name: str, start: int, rows: int) -> NDArray[np.float64]:
        """Return `[rows] float64`, mean 0 and deviation 1: four uniforms, summed; no library's logarithm has
        a say.
        """
        parts = (self._uniform(f"{name}/{part}", start, rows) for part in range(4))
        return (sum(parts) - 2.0) * 1.7320508075688772  # type: ignore[return-value]

    def _chunk(self, start: int, rows: int) -> pa.RecordBatch:
        import numpy as np
        import pyarrow as pa

        score, columns = np.zeros(rows), []
        for place in range(self.numbers):
            value = self._normal(f"number_{place}", start, rows)
            score += value * ((-1) ** place / (place + 1))
            columns.append(pa.array(value, mask=self._gaps(f"number_{place}", start, rows)))
        words = pa.array([f"v{level}" for level in range(self.levels)], pa.string())
        for place in range(self.categories):
            level = (self._uniform(f"category_{place}", start, rows) * self.levels).astype(np.int32)
            score += ((level + place) % 3 - 1) / 2
            codes = pa.array(level, mask=self._gaps(f"category_{place}", start, rows))
            columns.append(words.take(codes))
        noisy = score + self.noise * self._normal("noise", start, rows)
        if self.target == "number":
            columns.append(pa.array(noisy))
        elif self.target == "binary":
            columns.append(pa.array(np.where(noisy > 0, "true", "false"), pa.string()))
        else:
            columns.append(
                pa.array(np.select([noisy < -0.7, noisy > 0.7], ["low", "high"], "middle"), pa.string())
            )
        return pa.RecordBatch.from_arrays(columns, names=list(self._names()))

    def _gaps(self, name: str, start: int, rows: int) -> NDArray[np.bool_] | None:
        return self._uniform(f"{name}/gap", start, rows) < self.nulls if self.nulls else None

    def _chunks(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, self.rows, CHUNK):
            yield self._chunk(start, min(CHUNK, self.rows - start))

    def extent(self, context: Context) -> Extent | None:
        """Return what the options say."""
        return Extent(self.rows, self.rows * (8 * self.numbers + 16 * (self.categories + 1)))

    def read(self, context: Context) -> ibis.Table:
        """Return the rows, made chunk by chunk."""
        import pyarrow as pa

        from mlspec.engine.database import database

        connection = database(context)
        chunks = pa.RecordBatchReader.from_batches(self._chunk(0, 0).schema, self._chunks())
        connection.con.register("mlspec_chunks", chunks)
        connection.con.execute("CREATE TABLE mlspec_synthetic AS SELECT * FROM mlspec_chunks")
        connection.con.unregister("mlspec_chunks")
        found: ibis.Table = connection.table("mlspec_synthetic")
        return found

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return the options: they say it all."""
        return {"synthetic": self.model_dump(mode="json", exclude={"kind"})}
