"""Rows of a source as they are read: typed like those of training, a bounded number in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import ibis
import pyarrow as pa

from mlspec.engine.reading.cast import cast, cast_source
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.refusal import refusal
from mlspec.engine.reading.role import Reads, Role
from mlspec.engine.sql import quote
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.contract import InputColumn

if TYPE_CHECKING:
    from mlspec.sdk.source import Source, Unreadable

BATCH = 16_384
"""Rows that come at once."""
ROW, CHECK, RAW = "mlspec_row", "mlspec_check", "mlspec_raw"


@dataclass(frozen=True)
class Typed:
    """Some rows in the order of the source, and those of them that could not be read."""

    rows: pa.RecordBatch
    """Input and carried columns, and `mlspec_row`: the row's 0-based place in the source."""
    refused: pa.RecordBatch
    """The same columns of rows that could not be read, as the source has them, as text."""
    reasons: tuple[str, ...]
    """Why, for each refused row."""


class TypedStream:
    """Reads a source for scoring: the same reading as training's, but nothing is kept.

    Args:
        source: What is read; columns that are neither inputs nor carried are not looked at.
        inputs: The columns of a contract.
        carried: Other columns to take along as they are.
        context: Where relative paths start.

    Raises:
        MissingError: there is no such source.
        StepError: it lacks a column, or a column cannot be what the contract says.
    """

    def __init__(
        self, source: Source, inputs: Sequence[InputColumn], carried: Sequence[str], context: Context
    ) -> None:
        self._source = source
        self._marks = Marks.of(source, context)
        with self._told():
            self._raw: ibis.Table = source.read(context)
        roles = _roles(inputs, carried, self._raw.columns)
        self._casts = tuple(cast(role, self._raw.schema()[role.column]) for role in roles)
        self._checks = [(item.role.column, why) for item in self._casts for _, why in item.checks]
        self.columns = tuple(item.role.column for item in self._casts)
        """Names of the typed columns, in the source's order."""
        with self._told():
            self._reader = self._raw.get_backend().con.execute(self._query()).to_arrow_reader(BATCH)
        typed = [self._reader.schema.field(name) for name in self.columns]
        self.schema = pa.schema([*typed, pa.field(ROW, pa.int64())])
        """Of the rows that come."""

    def __iter__(self) -> Iterator[Typed]:
        """Yield the rows once.

        Raises:
            StepError: the source breaks off.
        """
        first = 0
        while True:
            with self._told():
                batch = next(self._reader, None)
            if batch is None:
                return
            yield self._typed(batch, first)
            first += batch.num_rows

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise refusal(self._marks, error) from error

    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return the rows that the source could not even take apart, to be asked when all rows were read.

        Raises:
            StepError: the source changed meanwhile.
        """
        with self._told():
            found = self._source.unreadable(self._raw)
        self._marks.check()
        return found

    def _query(self) -> str:
        values = ", ".join(f"{item.value} AS {quote(item.role.column)}" for item in self._casts)
        tests = [test for item in self._casts for test, _ in item.checks]
        code = "CAST(NULL AS INTEGER)"
        raw = "NULL"
        if tests:
            code = "CASE " + " ".join(f"WHEN {test} THEN {at}" for at, test in enumerate(tests)) + " END"
            texts = ", ".join(f"left(CAST({item.raw} AS VARCHAR), 1000)" for item in self._casts)
            raw = f"CASE WHEN ({code}) IS NOT NULL THEN [{texts}] END"
        source = cast_source(ibis.to_sql(self._raw, dialect="duckdb"), self._casts)
        return f"SELECT {values}, {code} AS {CHECK}, {raw} AS {RAW} FROM ({source}) AS mlspec_source"

    def _typed(self, batch: pa.RecordBatch, first: int) -> Typed:
        places = pa.array(range(first, first + batch.num_rows), pa.int64())
        checks = batch.column(CHECK)
        rows = batch.select(list(self.columns)).append_column(ROW, places)
        if checks.null_count == batch.num_rows:
            return Typed(rows, _texts(self.columns, [], []), ())
        good = checks.is_null()
        bad = checks.is_valid()
        texts = batch.column(RAW).filter(bad).to_pylist()
        codes = checks.filter(bad).to_pylist()
        at = {name: place for place, name in enumerate(self.columns)}
        reasons = []
        for code, text in zip(codes, texts, strict=True):
            column, why = self._checks[code]
            reasons.append(f"column '{column}' {why}: {_shown(text[at[column]])}")
        return Typed(
            rows.filter(good), _texts(self.columns, texts, places.filter(bad).to_pylist()), tuple(reasons)
        )


def _roles(inputs: Sequence[InputColumn], carried: Sequence[str], columns: Sequence[str]) -> tuple[Role, ...]:
    found = {name: Role(name, "other", "kept column") for name in carried}
    for item in inputs:
        reads: Reads = "number" if item.tensor == "float64" else "text"
        if item.type == "datetime":
            reads = "datetime"
        found[item.name] = Role(item.name, reads, item.kind, timezone=item.timezone)
    missing = [name for name in found if name not in columns]
    if missing:
        more = f" (nor {len(missing) - 1} more)" if missing[1:] else ""
        raise StepError(
            f"the source has no column '{missing[0]}'{more}", fix=f"it has {', '.join(list(columns)[:20])}"
        )
    return tuple(found[name] for name in columns if name in found)


def _texts(
    columns: Sequence[str], rows: Sequence[Sequence[str | None]], places: Sequence[int]
) -> pa.RecordBatch:
    arrays = [pa.array([row[at] for row in rows], pa.string()) for at in range(len(columns))]
    return pa.RecordBatch.from_arrays([*arrays, pa.array(places, pa.int64())], names=[*columns, ROW])


def _shown(text: str | None) -> str:
    return "null" if text is None else repr(text if len(text) <= 80 else text[:77] + "...")
