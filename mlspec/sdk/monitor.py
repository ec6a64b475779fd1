"""What watches a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from mlspec.sdk.contract import Contract
    from mlspec.sdk.segment import Segment


class Observer:
    """Takes batches while a service runs; made by `Monitor.observer`."""

    def observe(self, rows: pa.RecordBatch, answers: pa.RecordBatch) -> None:
        """Take raw rows and their answers; called off the hot path."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write what was seen so far; whole or not at all."""
        raise NotImplementedError


class Monitor(Plugin):
    """One way to watch the rows and answers of a deployment."""

    slot: ClassVar[str] = "monitor"

    of: str
    """The deployment that is watched."""

    def observer(self, contract: Contract, folder: Path, segments: Sequence[Segment] = ()) -> Observer:
        """Return an observer that writes into a folder; the rows of `segments` are watched apart, too."""
        raise NotImplementedError

    def compare(
        self,
        folder: Path,
        reference: dict[str, Any],
        drift: dict[str, Any],
        since: float | None = None,
        by_window: bool = False,
    ) -> dict[str, Any]:
        """Compare what was observed with a reference; the report is that of `engine/watching/drift.py`.

        `since` (seconds since 1970) leaves out what was observed before it, as finely as the files tell;
        `by_window` asks for what each window says for itself.
        """
        raise NotImplementedError
