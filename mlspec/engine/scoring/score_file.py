"""Any source to a file of answers, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from mlspec.engine.door import BadRows
from mlspec.engine.reading.typed_stream import ROW, TypedStream
from mlspec.engine.scoring.answer_file import AnswerFile
from mlspec.engine.scoring.scorer import Scored, Scorer
from mlspec.errors import StepError, UsageError
from mlspec.sdk.context import Context

if TYPE_CHECKING:
    from mlspec.sdk.source import Source, Unreadable

Form = Literal["parquet", "csv"]


@dataclass(frozen=True)
class Wanted:
    """What is scored, and where the answers go."""

    source: Source
    output: Path | None
    """A file, or None for stdout."""
    form: Form
    keep: tuple[str, ...] = ()
    """Columns of the source that stand before the answers."""
    rejects: Path | None = None
    """A CSV file for rows that cannot be scored; without it the first such row ends the work."""


@dataclass(frozen=True)
class Done:
    """What became of the rows."""

    rows: int
    """Rows that were answered."""
    rejected: int
    """Rows that were written apart."""


def score_file(scorer: Scorer, wanted: Wanted, context: Context) -> Done:
    """Score a source and write the answers beside the columns that were asked for, in the source's order.

    Raises:
        MissingError: there is no such source, or the output cannot be written.
        StepError: the source cannot be read, or a row cannot be scored and none may be left out.
        UsageError: a kept column has the name of an answer.
    """
    clash = [name for name in wanted.keep if name in scorer.schema.names]
    if clash:
        raise UsageError(f"the column '{clash[0]}' cannot be kept: an answer has that name")
    stream = TypedStream(wanted.source, scorer.contract.inputs, wanted.keep, context)
    schema = pa.schema([*(stream.schema.field(name) for name in wanted.keep), *scorer.schema])
    rows = 0
    with ExitStack() as stack:
        rejects = _Rejects(wanted.rejects, stream.columns, stack)
        answers = stack.enter_context(AnswerFile(wanted.output, wanted.form, schema))
        for scored in _scored(scorer, _readable(stream, rejects)):
            if scored.reasons:
                rejects.add(scored.refused, scored.reasons)
            kept = [scored.rows.column(name) for name in wanted.keep]
            answers.write(pa.RecordBatch.from_arrays([*kept, *scored.answers.columns], schema=schema))
            rows += scored.rows.num_rows
            context.progress(rows, None, "rows")
        for lost in stream.unreadable():
            rejects.lose(lost)
    return Done(rows, rejects.count)


def _scored(scorer: Scorer, batches: Iterator[pa.RecordBatch]) -> Iterator[Scored]:
    try:
        yield from scorer.score_many(batches)
    except BadRows as error:
        raise StepError(error.what, where=error.where) from error


def _readable(stream: TypedStream, rejects: _Rejects) -> Iterator[pa.RecordBatch]:
    for typed in stream:
        if typed.reasons:
            rejects.add(typed.refused, typed.reasons)
        yield typed.rows


class _Rejects:
    """Where rows go that cannot be scored."""

    def __init__(self, path: Path | None, columns: Sequence[str], stack: ExitStack) -> None:
        self.count = 0
        self._columns = columns
        self._file: AnswerFile | None = None
        if path is not None:
            texts = [(name, pa.string()) for name in ("reason", *columns)]
            self._schema = pa.schema([("row", pa.int64()), *texts])
            self._file = stack.enter_context(AnswerFile(path, "csv", self._schema))

    def add(self, rows: pa.RecordBatch, reasons: Sequence[str]) -> None:
        """Write rows apart, or refuse the first of them."""
        if self._file is None:
            _refuse(f"row {rows.column(ROW)[0].as_py()} (the first is 0): {reasons[0]}")
            return
        texts = [rows.column(name).cast(pa.string()) for name in self._columns]
        columns = [rows.column(ROW), pa.array(reasons, pa.string()), *texts]
        self._file.write(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self.count += rows.num_rows

    def lose(self, lost: Unreadable) -> None:
        """Tell rows that the source could not take apart: how many, and a few of them."""
        if self._file is None:
            _refuse(f"{lost.reason}: {lost.examples[0]}" if lost.examples else lost.reason)
            return
        told = "; ".join(lost.examples)
        reason = f"{lost.rows} rows could not be taken apart: {lost.reason} ({told})"
        nothing = [pa.nulls(1, field.type) for field in self._schema]
        nothing[1] = pa.array([reason], pa.string())
        self._file.write(pa.RecordBatch.from_arrays(nothing, schema=self._schema))
        self.count += lost.rows


def _refuse(what: str) -> None:
    raise StepError(what, fix="mend the row, or write such rows apart with --rejects FILE")
