"""Between a service and a monitor: a bounded queue, so that watching never holds up an answer."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mlspec.engine.files import write_json
from mlspec.engine.watching.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

    from mlspec.sdk.monitor import Observer


class Tap:
    """Hands rows and answers to an observer in a thread of its own; what does not fit is dropped and counted.

    Args:
        observer: Who watches.
        folder: Where rows are counted, beside what the observer writes: those that were dropped, and those
            that a killed process took and wrote nowhere.
        say: Told a line when rows were dropped or the observer failed.
        capacity: Batches that may wait.
        every: Seconds between two writings of what was seen; a killed process loses no more.
        pause: Seconds between two looks into the queue, unless a quarter of it is full before. An observer's
            cost is by the batch as well as by the row: seldom looks cost a service less.
    """

    def __init__(
        self,
        observer: Observer,
        folder: Path,
        *,
        say: Callable[[str], None] = print,
        capacity: int = 4_096,
        every: float = 30.0,
        pause: float = 1.0,
    ) -> None:
        self._observer, self._folder, self._say = observer, folder, say
        self._waiting: deque[tuple[pa.RecordBatch, pa.RecordBatch]] = deque()
        self._capacity, self._every, self._pause = capacity, every, pause
        self._counting, self._writing = threading.Lock(), threading.Lock()
        self._wake, self._closing = threading.Event(), False
        self._file = folder / f"tap-{time.time_ns():x}-{secrets.token_hex(4)}.json"
        self._tally = Tally(self._file.with_suffix(".rows"))
        self._seen = self._dropped = self._told = 0
        self._taken = self._kept = 0
        self._thread: threading.Thread | None = None

    @property
    def seen(self) -> int:
        """Rows that the observer took."""
        return self._seen

    @property
    def dropped(self) -> int:
        """Rows that were answered and not watched."""
        return self._dropped

    def put(self, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
        """Take a batch for later, or drop it where too many wait; never blocks."""
        waiting = len(self._waiting)
        if waiting >= self._capacity:
            self._drop(rows.num_rows)
            return
        self._waiting.append((rows, answers))
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
        if self._taken == self._kept:
            self._tally.remove()

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
        import pyarrow as pa

        batches = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not batches:
            return
        rows = pa.concat_batches([batch for batch, _ in batches])
        answers = pa.concat_batches([batch for _, batch in batches])
        with self._writing:
            self._taken += rows.num_rows
            try:
                # Before the sketches take them: what happens to the process from here on is counted.
                self._tally.note(self._taken, self._kept)
            except OSError as error:
                self._say(f"monitoring could not count: {error}")
            try:
                self._observer.observe(rows, answers)
            except Exception as error:  # noqa: BLE001 - a monitor that fails must not end the service
                self._say(f"monitoring failed: {type(error).__name__}: {error}")
                self._drop(rows.num_rows)
            else:
                self._seen += rows.num_rows

    def _flush(self) -> None:
        with self._writing:
            try:
                self._observer.flush()
                if self._dropped > self._told:
                    self._say(f"monitoring dropped {self._dropped - self._told} rows that came too fast")
                    self._told = self._dropped
                    write_json(self._file, {"dropped": self._dropped})
                if self._taken > self._kept:
                    self._tally.note(self._taken, self._taken)
                    self._kept = self._taken
            except Exception as error:  # noqa: BLE001 - as above: told, and tried again at the next turn
                self._say(f"monitoring could not write: {type(error).__name__}: {error}")

    def _drop(self, rows: int) -> None:
        with self._counting:
            self._dropped += rows
