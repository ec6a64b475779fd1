"""The rows at which a loss left the finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import torch

from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.engine.training.loss import loss
from mlspec.errors import StepError

SHOWN = 5
"""Rows that are named."""
HELD = 1 << 22
"""Scores of a chunk that are held for a look at them, at most."""
SLOWER = "use a smaller training.optimizer.lr, or a schedule that warms up"
LARGER = "set hardware.precision: bf16, which holds larger numbers"


@dataclass
class Scored:
    """What the batches of a chunk were scored, as long as that is little."""

    batches: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]] = field(default_factory=list)
    held: int = 0

    def add(self, scores: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | None) -> None:
        """Hold a batch's scores, its truth and its weights."""
        self.held += scores.numel()
        if self.held <= HELD:
            self.batches.append((scores.detach(), truth, weight))


def refuse(
    lesson: Lesson,
    group: Group,
    scored: Scored,
    places: Callable[[], Sequence[torch.Tensor]],
    sizes: Sequence[int],
    at: tuple[int, int],
) -> NoReturn:
    """End a training whose loss is no finite number, naming the rows at which that began; all ranks ask.

    Args:
        lesson: What is learnt.
        group: Who shares the batches out.
        scored: What this rank's rows were scored.
        places: Gives the numbers of this rank's rows in the training split, batch by batch.
        sizes: Rows of each batch of the chunk, of all ranks together.
        at: The epoch and the chunk's first step, from 1.

    Raises:
        StepError: always.
    """
    batch, rows = _first(lesson, scored)
    numbers = places()[batch][rows].tolist() if len(rows) else []
    found = _joined(group, batch, numbers)
    mend = SLOWER if lesson.precision != "fp16" else f"{LARGER}, or {SLOWER}"
    what = f"the loss is no longer a finite number, in epoch {at[0]} at step {at[1] + found.batch}"
    if not found.rows:
        raise StepError(what, where="training", fix=mend)
    names = ", ".join(lesson.names(found.rows) if lesson.names else [f"row {row}" for row in found.rows])
    if len(found.rows) < found.bad:
        names += f" and {found.bad - len(found.rows)} more"
    count = sizes[found.batch]
    if found.bad == count:
        raise StepError(f"{what}: for all {count} rows of a batch ({names})", where="training", fix=mend)
    raise StepError(
        f"{what}: it began with {found.bad} of the {count} rows of a batch: {names}",
        where="training",
        fix=f"look at these rows; or {mend}",
    )


@dataclass(frozen=True)
class _Found:
    batch: int
    rows: tuple[int, ...]
    bad: int


def _first(lesson: Lesson, scored: Scored) -> tuple[int, torch.Tensor]:
    """Return the first batch with a loss that is not finite, and which of its rows have one."""
    for place, (scores, truth, weight) in enumerate(scored.batches):
        bad = [row for row in range(len(truth)) if not _finite(lesson, scores, truth, weight, row)]
        if bad:
            return place, torch.tensor(bad)
    return len(scored.batches), torch.tensor([], dtype=torch.int64)


def _finite(
    lesson: Lesson, scores: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | None, row: int
) -> bool:
    one = slice(row, row + 1)
    own = None if weight is None else weight[one]
    value = loss(lesson.target.kind, scores[one], truth[one], own, "sum", lesson.loss)
    return bool(torch.isfinite(value))


def _joined(group: Group, batch: int, rows: list[int]) -> _Found:
    """Return what the ranks found, of the batch at which it began: later ones are wrong for every row."""
    width = 2 + SHOWN
    mine = [batch, len(rows), *rows[:SHOWN]]
    told = [0.0] * (group.ranks * width)
    told[group.rank * width : group.rank * width + len(mine)] = [float(value) for value in mine]
    all_told = group.sums(*told)
    ranks = [all_told[place * width : (place + 1) * width] for place in range(group.ranks)]
    first = min(rank[0] for rank in ranks)
    there = [rank for rank in ranks if rank[0] == first]
    named = [int(row) for rank in there for row in rank[2 : 2 + min(SHOWN, int(rank[1]))]]
    return _Found(int(first), tuple(named[:SHOWN]), sum(int(rank[1]) for rank in there))
