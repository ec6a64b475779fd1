"""What TensorBoard shows of a training: scalars, histograms, the graph, vectors of categories, the spec."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mlspec.engine.training.drawn import graph_of, histogram_of, vectors_of

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from mlspec.engine.training.lesson import Lesson

PACE = 0.5
"""Seconds between two scalars inside an epoch, at least."""
FREE = 0.05
"""Seconds that histograms may take in any case."""
SHARE = 0.01
"""Of the time of a training, at most, that histograms take beyond that."""
NAMED = 8
"""Characters of a training's key in the name of its folder."""


class Board:
    """Writes what TensorBoard shows of one training; nothing where there is no writer.

    Args:
        writer: Writes events into the training's folder.
    """

    def __init__(self, writer: SummaryWriter | None) -> None:
        self._writer = writer
        self._begun = self._told = time.monotonic()
        self._spent = 0.0
        self._rows = 0

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write one number."""
        if self._writer is not None:
            self._writer.add_scalar(tag, value, step)

    def steps(self, loss: float, rows: int, step: int, rate: float) -> None:
        """Write now and then how the steps inside an epoch go.

        Args:
            loss: Mean over the rows of the last steps.
            rows: How many rows these were.
            step: Optimiser steps that are done.
            rate: The learning rate.
        """
        self._rows += rows
        now = time.monotonic()
        if self._writer is None or now - self._told < PACE:
            return
        self.scalar("steps/loss", loss, step)
        self.scalar("steps/lr", rate, step)
        self.scalar("steps/rows_per_second", self._rows / (now - self._told), step)
        self._told, self._rows = now, 0

    @property
    def due(self) -> bool:
        """Return whether histograms may be drawn: they must not slow the training down."""
        elapsed = time.monotonic() - self._begun
        return self._writer is not None and self._spent <= max(FREE, SHARE * elapsed)

    def histograms(
        self, weights: Mapping[str, torch.Tensor], gradients: Mapping[str, torch.Tensor], step: int
    ) -> None:
        """Write how weights, and the gradients of the last step, are spread.

        Args:
            weights: By name; whole ones.
            gradients: By the name of their weights; whole ones.
            step: Optimiser steps that are done.
        """
        if self._writer is None:
            return
        begun = time.monotonic()
        for room, values in (("weights", weights), ("gradients", gradients)):
            for name, tensor in values.items():
                found = histogram_of(tensor)
                if found is not None:
                    self._writer.add_histogram_raw(f"{room}/{name}", **found, global_step=step)
        self._spent += time.monotonic() - begun

    def opening(self, lesson: Lesson) -> None:
        """Write the text of the spec, and the module's graph."""
        if self._writer is None or lesson.trial is not None:
            return
        for tag, text in lesson.told.items():
            indented = "\n".join(f"    {line}" for line in text.splitlines())
            self._writer.add_text(tag, indented, 0)
        graph = graph_of(lesson)
        if isinstance(graph, str):
            self._writer.add_text("graph", f"    {graph}", 0)
        else:
            self._writer._get_file_writer().add_graph(graph)  # type: ignore[no-untyped-call]

    def vectors(
        self, lesson: Lesson, module: torch.nn.Module, counts: Sequence[torch.Tensor], step: int
    ) -> None:
        """Write the vectors of each category column, with its values' names and their training rows."""
        if self._writer is None or lesson.trial is not None:
            return
        Path(self._writer.log_dir, "projector_config.pbtxt").unlink(missing_ok=True)
        for column, (vectors, lines) in vectors_of(lesson, module, counts).items():
            self._writer.add_embedding(
                vectors, lines, metadata_header=["value", "training rows"], global_step=step, tag=column
            )


@contextmanager
def opened_board(logs: Path | None, key: str, step: int | None) -> Iterator[Board]:
    """Give a training's board; it writes nothing where there is no folder for logs.

    Each training has a folder of its own, named by when it began and what it is of; one that goes on writes
    where it wrote before, and what came after its checkpoint is no longer shown.

    Args:
        logs: The folder of the step's logs.
        key: What the training is of.
        step: Optimiser steps that are done, where a training goes on.
    """
    if logs is None:
        yield Board(None)
        return
    from torch.utils.tensorboard import SummaryWriter

    end = f"-{key[:NAMED]}" if key else ""
    known = sorted(logs.glob(f"????-??-??T??-??-??{end}")) if step is not None else []
    folder = known[-1] if known else logs / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}{end}"
    writer = SummaryWriter(str(folder), purge_step=step)
    try:
        yield Board(writer)
    finally:
        writer.close()
