"""Between a service and a monitor: a bounded queue, so that watching never holds up an answer."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from mlspec.engine.files import write_json
from mlspec.engine.watching.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

    from mlspec.sdk.monitor import Observer

    _Batches: TypeAlias = tuple[pa.RecordBatch, pa.RecordBatch]


class Gathering(Protocol):
    """Small requests' rows, put together; `engine/serving/gathered.py` is one."""

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take some more rows."""

    def batch(self) -> pa.RecordBatch:
        """Return all that were taken, in their order."""


class Tap:
    """Hands rows and answers to an observer in a thread of its own; what does not fit is dropped and counted.

    Args:
        observer: Who watches.
        folder: Where rows are counted, beside what the observer writes: those that were dropped, and those
            that a killed process took and wrote nowhere.
        gather: Makes what the rows of small requests are put together in, anew for each look.
        say: Told a line when rows were dropped or the observer failed.
        capacity: Requests that may wait.
        every: Seconds between two writings of what was seen; a killed process loses no more.
        pause: Seconds between two looks into the queue, unless a quarter of it is full before. An observer's
            cost is by the batch as well as by the row: seldom looks cost a service less.
    """

    def __init__(
        self,
        observer: Observer,
        folder: Path,
        gather: Callable[[], Gathering],
        *,
        say: Callable[[str], None] = print,
        capacity: int = 4_096,
        every: float = 30.0,
        pause: float = 2.0,
    ) -> None:
        self._observer, self._gather, self._say = observer, gather, say
        self._capacity, self._every, self._pause = capacity, every, pause
        self._small = gather()
        self._of_small: list[pa.RecordBatch] = []
        self._large: list[_Batches] = []
        self._taking, self._writing = threading.Lock(), threading.Lock()
        self._wake, self._closing = threading.Event(), False
        self._file = folder / f"tap-{time.time_ns():x}-{secrets.token_hex(4)}.json"
        self._tally, self._counts = Tally(self._file.with_suffix(".rows")), True
        self._seen = self._dropped = self._told = 0
        self._taken = self._looked = self._kept = 0
        self._thread: threading.Thread | None = None

    @property
    def seen(self) -> int:
        """Rows that the observer took."""
        return self._seen

    @property
    def dropped(self) -> int:
        """Rows that were answered and not watched."""
        return self._dropped

    def put(self, rows: pa.RecordBatch | Sequence[Mapping[str, Any]], answers: pa.RecordBatch) -> None:
        """Take rows for later, or drop them where too many wait; never blocks.

        Args:
            rows: A batch; or, where they are few, what came in JSON and was found to be right.
            answers: One a row.
        """
        with self._taking:
            waiting = len(self._of_small) + len(self._large)
            if waiting >= self._capacity:
                self._dropped += answers.num_rows
                return
            if isinstance(rows, Sequence):
                self._small.add(rows)
                self._of_small.append(answers)
            else:
                self._large.append((rows, answers))
            self._taken += answers.num_rows
            self._count()
        if waiting >= self._capacity // 4 and not self._wake.is_set():
            self._wake.set()

    def start(self) -> None:
        """Begin to watch."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="mlspec-tap", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Take what still waits, write all that was seen, and end."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._drain()
        self._flush()
        self._tally.close(remove=self._taken == self._kept)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        written = time.monotonic()
        while not self._closing:
            self._wake.wait(self._pause)
            self._wake.clear()
            self._drain()
            if time.monotonic() - written >= self._every:
                self._flush()
                written = time.monotonic()

    def _drain(self) -> None:
        with self._taking:
            small, answers, large = self._small, self._of_small, self._large
            self._small, self._of_small, self._large = self._gather(), [], []
        rows = sum(batch.num_rows for batch in (*answers, *(batch for _, batch in large)))
        if not rows:
            return
        with self._writing:
            try:
                self._observer.observe(*_together(small, answers, large))
            except Exception as error:  # noqa: BLE001 - a monitor that fails must not end the service
                self._say(f"monitoring failed: {type(error).__name__}: {error}")
                with self._taking:
                    self._dropped += rows
            else:
                self._seen += rows
            self._looked += rows

    def _flush(self) -> None:
        with self._writing:
            try:
                self._observer.flush()
                if self._dropped > self._told:
                    self._say(f"monitoring dropped {self._dropped - self._told} rows that came too fast")
                    self._told = self._dropped
                    write_json(self._file, {"dropped": self._dropped})
            except Exception as error:  # noqa: BLE001 - as above: told, and tried again at the next turn
                self._say(f"monitoring could not write: {type(error).__name__}: {error}")
                return
        with self._taking:
            if self._looked > self._kept:
                self._kept = self._looked
                self._count()

    def _count(self) -> None:
        """Write how many rows were taken and are kept, as soon as they are: a kill comes any time."""
        if not self._counts:
            return
        try:
            self._tally.note(self._taken, self._kept)
        except OSError as error:
            self._counts = False
            self._say(f"monitoring cannot count what a kill would lose: {error}")


def _together(
    small: Gathering,
    answers: Sequence[pa.RecordBatch],
    large: Sequence[tuple[pa.RecordBatch, pa.RecordBatch]],
) -> _Batches:
    """Return all rows as one batch and their answers as another, each answer still beside its row."""
    import pyarrow as pa

    rows = [small.batch()] if answers else []
    return (
        pa.concat_batches([*rows, *(batch for batch, _ in large)]),
        pa.concat_batches([*answers, *(batch for _, batch in large)]),
    )
