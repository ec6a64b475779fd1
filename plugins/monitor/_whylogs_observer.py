"""whylogs profiles, column by column from Arrow; its type mapper, which NumPy 2 breaks, is never asked."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from whylogs.core.metrics.column_metrics import ColumnCountsMetric, TypeCountersMetric
from whylogs.core.metrics.metrics import CardinalityMetric, DistributionMetric, FrequentItemsMetric, Metric
from whylogs.core.preprocessing import PreprocessedColumn
from whylogs.core.view import ColumnProfileView, DatasetProfileView

from mlspec.engine.files import write_bytes
from mlspec.engine.watching.by_segment import prefix
from mlspec.engine.watching.samples import Samples
from mlspec.engine.watching.segments import parted
from mlspec.sdk.contract import Contract
from mlspec.sdk.monitor import Observer
from mlspec.sdk.segment import Segment

ANSWERS = "mlspec/"
"""Before the name of an answer; no input column's name may start so."""
VALUES = ".parquet"
"""End of the name of a file with sampled values; its beginning is that of the profile."""
LONGEST = 100
"""Characters of a text that a sketch keeps; of longer ones the start and a digest."""
HELD = 16_384
"""Rows that wait in memory, at most, to be parted into segments: a look at many costs little more than one
at few.
"""


class WhylogsObserver(Observer):
    """Keeps the profile of the running window and writes it whole, again and again, until the window ends.

    Args:
        contract: Of the model that answers.
        folder: Where profiles go.
        every: Length of a window in seconds.
        sample: Values of each number column that are kept beside the profile of a window; 0 keeps none.
        segments: Whose rows are watched apart, too; they stand in the same profile under longer names.
        clock: Gives the time in seconds since 1970.
        seed: Of the choice of values; absent, each process has one of its own.
    """

    def __init__(
        self,
        contract: Contract,
        folder: Path,
        every: float,
        *,
        sample: int = 0,
        segments: Sequence[Segment] = (),
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        self._folder, self._every, self._clock = folder, every, clock
        self._version = contract.model_version
        self._process = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._columns: dict[str, dict[str, Metric]] = {}
        self._sample, self._random = sample, np.random.default_rng(seed)
        self._samples = Samples(sample, self._random)
        self._segments = tuple(segments)
        self._held: list[tuple[pa.RecordBatch, pa.RecordBatch]] = []
        self._window = self._start()
        self._changed = False

    def observe(self, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
        """Take raw rows and their answers into the window that runs now."""
        self._turn()
        self._look("", rows, answers)
        if self._segments:
            self._held.append((rows, answers))
            if sum(batch.num_rows for batch, _ in self._held) >= HELD:
                self._part()
        self._changed = True

    def flush(self) -> None:
        """Write the window's profile over its older self; a reader sees the old or the new one, whole.

        A window without a row leaves an empty profile: the service was up, and heard nothing.
        """
        self._turn()
        self._write()

    def _turn(self) -> None:
        """Begin the window that runs now, where another one did."""
        if self._start() != self._window:
            self._write()
            self._columns, self._window, self._changed = {}, self._start(), True
            self._samples = Samples(self._sample, self._random)

    def _look(self, start: str, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
        for part, batch in (("", rows), (ANSWERS, answers)):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                self._observe(start + part + name, column)

    def _part(self) -> None:
        """Look at the rows that wait, segment by segment."""
        held, self._held = self._held, []
        if held:
            rows, answers = (pa.concat_batches(batches) for batches in zip(*held, strict=True))
            for segment, own, told in parted(self._segments, rows, answers):
                self._look(prefix(segment), own, told)

    def _write(self) -> None:
        if not self._changed:
            return
        self._part()
        start = datetime.fromtimestamp(self._window, UTC)
        view = DatasetProfileView(
            columns={
                name: ColumnProfileView(metrics=dict(metrics)) for name, metrics in self._columns.items()
            },
            dataset_timestamp=start,
            creation_timestamp=datetime.fromtimestamp(self._clock(), UTC),
            metadata={"mlspec.model_version": self._version, "mlspec.window_seconds": f"{self._every:g}"},
        )
        name = f"{start:%Y%m%dT%H%M%S}.{int(self._window % 1 * 1000):03d}Z-{self._process}"
        if self._sample:
            self._samples.write(self._folder / f"{name}{VALUES}")
        write_bytes(self._folder / f"{name}.bin", view.serialize())
        self._changed = False

    def _start(self) -> float:
        return self._clock() // self._every * self._every

    def _observe(self, name: str, column: pa.Array) -> None:
        seen = PreprocessedColumn()
        seen.len = len(column)
        if pa.types.is_string(column.type) or pa.types.is_boolean(column.type) or _is_words(column.type):
            kinds: tuple[type[Metric], ...] = (CardinalityMetric, FrequentItemsMetric)
            texts = column.cast(pa.string()).drop_null()
            words = texts.to_pylist()
            # Bytes are at least as many as characters: mostly one look tells that no text is too long.
            fits = (pc.max(pc.binary_length(texts)).as_py() or 0) <= LONGEST
            seen.list.strings = words if fits else [short(word) for word in words]
            seen.null_count = len(column) - len(words)
        else:
            kinds = (CardinalityMetric, DistributionMetric)
            values = _numbers(column)
            seen.numpy.floats = values[np.isfinite(values)]
            if self._sample and not pa.types.is_timestamp(column.type):
                self._samples.add(name, seen.numpy.floats)
            seen.null_count = len(column) - len(seen.numpy.floats)
        metrics = self._columns.get(name)
        if metrics is None:
            zeros = [kind.zero() for kind in (ColumnCountsMetric, TypeCountersMetric, *kinds)]
            metrics = self._columns[name] = {zero.namespace: zero for zero in zeros}
        for metric in metrics.values():
            metric.columnar_update(seen)


def short(text: str) -> str:
    """Return a text as a sketch keeps it: long ones as their start and a digest."""
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST - 17] + "~" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _is_words(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def _numbers(column: pa.Array) -> np.ndarray:
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("ms", column.type.tz), safe=False).cast(pa.int64())
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
