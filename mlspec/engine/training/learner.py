"""What Lightning drives: steps over chunks, a look at the val split, and what must be remembered."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer

from mlspec.engine.judging.answers import answers
from mlspec.engine.on_disk import roomy
from mlspec.engine.training.board import Board
from mlspec.engine.training.chunks import BATCHES, Chunk, part
from mlspec.engine.training.course import Course
from mlspec.engine.training.gradients import Gradients
from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.engine.training.loss import loss
from mlspec.engine.training.parted import whole
from mlspec.engine.training.patience import Patience
from mlspec.engine.training.recompute import recompute
from mlspec.engine.training.seeded import random_state, restore
from mlspec.engine.training.synchronised import Synchronised
from mlspec.engine.training.torch_engine import TorchEngine
from mlspec.engine.training.unruly import Scored, refuse
from mlspec.errors import StepError, Terminated
from mlspec.sdk.strategy import Driven, Engine

APART = 50
"""Times the cost of a checkpoint that pass before an epoch's end is saved: it takes a fiftieth at most."""
PIECE = 1_000_000
"""Rows whose codes are counted at once."""


class Learner(lightning.LightningModule):
    """A lesson as Lightning takes it.

    Optimisation is manual: one `training_step` of Lightning is a chunk of batches, because what Lightning
    does around each step costs as much as a small network's own step.

    Args:
        lesson: What is learnt, from what and how.
        module: The module, on the CPU.
        save: Called at the end of an epoch, and in between when it is time.
        board: Shows the training in TensorBoard.
        progress: Called with the rows done of all rows of all epochs.
        scratch: Where many scores of the val split lie while they are judged.
        group: This process's place among those that train.
        rows: Its place among those that share batches out; among all where None.
    """

    def __init__(
        self,
        lesson: Lesson,
        module: torch.nn.Module,
        save: Callable[[], None],
        board: Board,
        progress: Callable[[float], None],
        scratch: Path,
        group: Group | None = None,
        rows: Group | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.module = module
        self.course = Course()
        self.best: dict[str, torch.Tensor] | None = None
        self.patience = None if lesson.patience is None else Patience(lesson.better, lesson.patience)
        self._lesson, self._save, self._board, self._progress = lesson, save, board, progress
        self._group = group or Group()
        self._rows = rows or self._group
        self._norms = Synchronised(module, self._rows, lesson.accumulate)
        self.counts = _counts(lesson)
        self.gradients: Gradients
        self._agreed: KeyboardInterrupt | None = None
        self._schedule: torch.optim.lr_scheduler.LRScheduler | None = None
        self._engine: Engine | None = None
        self._steps: LightningOptimizer
        self._found: dict[str, Any] | None = None
        self._scratch = scratch
        self._scores = np.empty((0, lesson.target.width), np.float32)
        self._scored = 0
        self._val_loss = 0.0
        self._saved = time.monotonic()
        self._cost = 0.01
        self._due = False
        self.stop: KeyboardInterrupt | None = None
        """Set from outside: the training saves its state and raises this as soon as the state is whole."""
        self.places: Callable[[int, int], tuple[torch.Tensor, ...]] = lambda epoch, chunk: ()
        """Gives the numbers of this rank's rows in the training split, of each batch of a chunk."""
        self.asked: Callable[[], KeyboardInterrupt | None] = lambda: None
        """Gives what has asked for that where no signal can."""
        self.pieces = 1
        """Pieces in which a chunk of the val split is scored."""
        self.listen: Callable[[], None] = lambda: None
        """Called once Lightning has taken the process's signals, to take them back."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build the optimiser and the schedule, and put back what a checkpoint knew of them."""
        if self._lesson.recompute:
            recompute(self.module)
        engine = self._engine = self._made()
        self.gradients = Gradients(self._lesson, self._rows, self.device.type, engine.score, engine.backward)
        if self._lesson.schedule is not None:
            self._schedule = self._lesson.schedule.build(engine.optimizer, self._lesson.steps)
        if self._found is not None:
            engine.resume(self._found)
            if self._schedule is not None:
                self._schedule.load_state_dict(self._found["schedule"])
        return engine.optimizer

    def _made(self) -> Engine:
        """Return what moves the weights: a library where the strategy has one, else torch."""
        lesson, score = self._lesson, self.module.__call__
        driven = Driven(lesson.optimizer.build, lesson.batch_size, lesson.precision, lesson.clip_norm)
        if self._group.ranks * lesson.devices > 1:
            assert lesson.strategy is not None
            engine = lesson.strategy.drive(self.module, self.device, driven)
            if engine is not None:
                return engine
            score = lesson.strategy.spread(self.module, self.device)
        # Steps go by Lightning: its strategy for other devices does more than the optimiser.
        return TorchEngine(
            self.module, score, driven, self._group, self.manual_backward, lambda: self._steps.step()
        )

    def on_train_start(self) -> None:
        """Put random generators back where a checkpoint left them; Lightning's own start draws from them."""
        self.listen()
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        self._steps = optimizer
        if self._found is not None:
            restore(self._found["random"])
            self._found = None

    def training_step(self, chunk: Chunk, index: int) -> None:
        """Take one optimiser step for each batch of a chunk."""
        assert self._engine is not None
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        rows, scored = self._rows_of_chunk(), Scored()
        self._reseed()
        for all_rows, (numbers, codes, truth, weight) in zip(rows, self._batches(chunk, rows), strict=True):
            self._norms.rows = all_rows
            scores, summed = self.gradients.add(numbers, codes, truth, weight, all_rows)
            scored.add(scores, truth, weight)
            if self._engine.step() and self._schedule is not None:
                self._schedule.step()
            total += summed
        found = self._agree(total.item())
        if not math.isfinite(found):
            at = (self.course.epoch + 1, self.course.step + 1)
            refuse(self._lesson, self._rows, scored, self._places, rows, at)
        self._count(found, sum(rows))
        self.course.skipped += self._engine.skipped()
        self._board.steps(found / sum(rows), sum(rows), self.course.step, self._rate)

    def _places(self) -> tuple[torch.Tensor, ...]:
        return self.places(self.course.epoch, self.course.chunk)

    def _rows_of_chunk(self) -> list[int]:
        """Return the rows of each batch of the chunk that comes next, of all ranks together."""
        size = self._lesson.batch_size
        rows = min(size * BATCHES, self._lesson.rows - self.course.rows)
        return [size] * (rows // size) + [rows % size] * (rows % size > 0)

    def _batches(self, chunk: Chunk, rows: list[int]) -> Any:
        sizes = [_length(part(count, self._rows)) for count in rows]
        parts = [torch.split(tensor, sizes) for tensor in chunk[:3]]
        weights = [None] * len(parts[0]) if chunk[3] is None else torch.split(chunk[3], sizes)
        return zip(*parts, weights, strict=True)

    def _reseed(self) -> None:
        """Give each rank random numbers of its own, which a resumed training draws again."""
        if self._group.ranks > 1:
            place = (self._lesson.seed, self.course.step, self._rows.rank, self._group.ranks)
            words = np.random.SeedSequence([abs(word) for word in place]).generate_state(2)
            torch.manual_seed(int(words[0]) << 32 | int(words[1]))

    def _agree(self, total: float = 0.0) -> float:
        """Return a value's sum over the ranks; all of them learn whether to stop, or to save."""
        stop = self.stop = self.stop or self.asked()
        ended = isinstance(stop, Terminated)
        due = time.monotonic() - self._saved >= self._lesson.save_every
        # Of processes with the same rows one counts.
        counts = self._group.rank % (self._group.ranks // self._rows.ranks) == 0
        told = (total if counts else 0.0, stop is not None, ended, due)
        total, asked, terminated, saving = self._group.sums(*told)
        self._due = saving > 0
        if asked and self._group.ranks > 1:
            self._agreed = Terminated() if terminated else KeyboardInterrupt()
        return total

    @property
    def _stopping(self) -> KeyboardInterrupt | None:
        return self.stop if self._group.ranks == 1 else self._agreed

    def _count(self, total: float, rows: int) -> None:
        course = self.course
        course.chunk += 1
        course.step += -(-rows // self._lesson.batch_size)
        course.loss += total
        course.rows += rows

    @property
    def _rate(self) -> float:
        assert self._engine is not None
        return float(self._engine.optimizer.param_groups[0]["lr"])

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Tell how far it is, and save when it is time."""
        every = self._lesson.rows
        self._progress(self.course.epoch * every + self.course.rows)
        if (self._stopping is not None or self._due) and self.course.rows < every:
            self._board.scalar("train/loss", self.course.loss / self.course.rows, self.course.step)
            self.save()
            self._heed()
        elif self.course.rows >= every:
            # Before the look at val, where Lightning lets go of gradients.
            self._draw()

    def on_validation_epoch_start(self) -> None:
        """Settle what no training row can reach."""
        self.settle()
        self._val_loss, self._scored, lesson = 0.0, 0, self._lesson
        if lesson.val is not None and lesson.metrics:
            shape = (self._rows.count(lesson.val.rows), lesson.target.width)
            self._scores = roomy(self._scratch, shape, np.float32)

    def settle(self) -> None:
        """Give weights that no training row can reach a sensible value."""
        with torch.no_grad(), nullcontext() if self._engine is None else self._engine.gathered():
            self._lesson.model.settle(self.module, [count.to(self.device) for count in self.counts])

    def validation_step(self, chunk: Chunk, index: int) -> None:
        """Score a chunk of the val split."""
        numbers, codes, truth, weight = chunk
        # Less is in memory on the way than of a chunk at once, and the loss is summed as of a chunk at once.
        pieces = zip(numbers.tensor_split(self.pieces), codes.tensor_split(self.pieces), strict=True)
        scores = torch.cat([self.module(*piece) for piece in pieces if len(piece[0])])
        if not self._rows.count(self._lesson.val.rows if self._lesson.val else 0):
            return
        lesson = self._lesson
        self._val_loss += loss(lesson.target.kind, scores, truth, weight, "sum", lesson.loss).item()
        if lesson.metrics:
            here = slice(self._scored, self._scored + len(scores))
            self._scores[here], self._scored = scores.float().cpu().numpy(), here.stop

    def on_train_epoch_end(self) -> None:
        """Write the epoch's line, judge it, and save."""
        self._agree()
        lesson, course = self._lesson, self.course
        line = {"epoch": course.epoch + 1, "lr": self._rate, "train_loss": course.loss / course.rows}
        if lesson.precision == "fp16":
            line["train_skipped_steps"] = course.skipped
        line |= self._judged()
        course.history.append(line)
        course.epoch, course.chunk, course.loss, course.rows = course.epoch + 1, 0, 0.0, 0
        course.skipped = 0
        for name, value in line.items():
            if name != "epoch":
                self._board.scalar(name.replace("_", "/", 1), value, course.step)
        if self.patience is not None:
            self.patience = self.patience.after(line[f"val_{lesson.watched}"])
            if self.patience.best_now:
                assert self._engine is not None
                self.best = self._engine.copied()
            course.stopped = self.patience.over
            self.trainer.should_stop = course.stopped
        if lesson.trial is not None:
            # Before the state is saved: what is killed in between tells it again.
            lesson.trial.told(course.epoch, line[f"val_{lesson.trial.metric.kind}"])
        if self._worth_saving():
            self.save()
        self._heed()

    def _worth_saving(self) -> bool:
        """Return whether so much was learnt since the last checkpoint that its loss would be felt."""
        waited = time.monotonic() - self._saved
        (worth,) = self._group.first(waited >= min(self._lesson.save_every, APART * self._cost))
        return worth > 0 or self._stopping is not None

    def _draw(self) -> None:
        """Show how weights and gradients are spread; each rank may have a part of them, so all take part."""
        (due,) = self._group.first(float(self._board.due))
        if due and self._lesson.trial is None:
            assert self._engine is not None
            first, learnt = self._group.rank == 0, dict(self.module.named_parameters())
            weights = {name: item for name, item in self._engine.weights(first).items() if name in learnt}
            self._board.histograms(weights, self._engine.gradients(first), self.course.step)

    def _heed(self) -> None:
        if self._stopping is not None:
            raise self._stopping

    def _judged(self) -> dict[str, float]:
        lesson = self._lesson
        if lesson.val is None:
            return {}
        line = {"val_loss": self._rows.sums(self._val_loss)[0] / lesson.val.rows}
        if lesson.metrics:
            scores = self._rows.joined(self._scores, lesson.val.rows)
            told = answers(scores, lesson.val, lesson.target)
            line |= {f"val_{metric.kind}": metric.value(told) for metric in lesson.metrics}
        # Ranks on unlike machines must not stop at unlike epochs.
        line = dict(zip(line, self._group.first(*line.values()), strict=True))
        for name, value in line.items():
            if not math.isfinite(value):
                raise StepError(
                    f"'{name}' is no finite number in epoch {self.course.epoch + 1}: val cannot tell",
                    where="training.early_stopping",
                    fix="make data.split.val larger, or choose another metric",
                )
        return line

    def save(self) -> None:
        """Save, and note when, and what it cost."""
        begun = time.monotonic()
        self._save()
        self._saved = time.monotonic()
        self._cost = self._saved - begun

    def state(self) -> dict[str, Any]:
        """Return all that a killed training needs to go on as if nothing had been, on any number of ranks.

        All ranks must ask; only rank 0 is given weights of which each has a part.
        """
        assert self._engine is not None
        first = self._group.rank == 0
        return {
            "module": self._engine.weights(first),
            "best": whole(self.best, first),
            "patience": None if self.patience is None else asdict(self.patience),
            "schedule": None if self._schedule is None else self._schedule.state_dict(),
            **self._engine.state(first),
            "course": asdict(self.course),
            "random": random_state(),
        }

    def take_best(self) -> None:
        """Put the best epoch's weights back where early stopping kept them; else settle those of the last."""
        if self.best is None:
            self.settle()
            return
        if self._engine is None:
            self.module.load_state_dict(self.best)
        else:
            self._engine.put(self.best)

    def trained(self) -> torch.nn.Module:
        """Return the module with whole weights, on the CPU and in evaluation mode; all ranks must ask."""
        strategy = self._lesson.strategy
        if self._engine is None or strategy is None or not strategy.parted or self._group.ranks == 1:
            return self.module.cpu().eval()
        made = self._lesson.model.module(self._lesson.inputs, self._lesson.target)
        made.load_state_dict(self._engine.weights(True))
        return made.eval()

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state; the optimiser's part is put back once Lightning asks for the optimiser."""
        self.module.load_state_dict(state["module"])
        self.best = state["best"]
        self.patience = None if state["patience"] is None else Patience(**state["patience"])
        self.course = Course(**state["course"])
        self._found = state


def _length(part: slice) -> int:
    return int(part.stop - part.start)


def _counts(lesson: Lesson) -> list[torch.Tensor]:
    codes, sizes = lesson.train.codes, lesson.inputs.sizes
    counts = [np.zeros(size, np.int64) for size in sizes]
    for start in range(0, len(codes), PIECE):
        part = codes[start : start + PIECE]
        for place, size in enumerate(sizes):
            counts[place] += np.bincount(part[:, place], minlength=size)
    return [torch.from_numpy(count) for count in counts]
