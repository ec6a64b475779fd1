"""Training of torch models: Lightning's loop over chunks of encoded rows."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import torch

from mlspec.engine.training.board import opened_board
from mlspec.engine.training.check_devices import check_devices
from mlspec.engine.training.checkpoint import load_checkpoint, save_checkpoint
from mlspec.engine.training.chunks import BATCHES, InOrder, Shuffled, draws, rows_of
from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.engine.training.quiet import quiet
from mlspec.engine.training.seeded import seed_xla, seeded
from mlspec.errors import StepError, Terminated
from mlspec.sdk.context import Context

if TYPE_CHECKING:
    from mlspec.engine.training.course import Course
    from mlspec.engine.training.learner import Learner
    from mlspec.engine.training.profile import Profile

CHECKPOINT = "training.safetensors"


@dataclass(frozen=True)
class Trained:
    """What a training gives."""

    module: torch.nn.Module
    """On the CPU, in evaluation mode, with the weights that are kept."""
    history: tuple[Mapping[str, float], ...]
    """One line an epoch."""
    best_epoch: int
    """1-based epoch whose weights are kept: the best where early stopping watched, else the last."""


def fit(lesson: Lesson, context: Context, key: str = "", group: Group | None = None) -> Trained:
    """Train a module, going on from a checkpoint of the same lesson where there is one.

    On the CPU, with the same number of threads, the same lesson gives the same bits, resumed or not.

    Args:
        lesson: What is learnt, from what and how.
        context: Its scratch folder holds the checkpoint.
        key: What the lesson is of; a checkpoint of another key is not read.
        group: This process's place among those that train together; they have found each other.

    Raises:
        StepError: there is nothing to learn from, or the loss left the finite numbers.
    """
    group = group or Group()
    _check(lesson, group)
    rows = group if lesson.strategy is None else group.apart(lesson.strategy.alike(group.ranks))
    checkpoint = context.scratch / CHECKPOINT
    found, notes = load_checkpoint(checkpoint, key)
    done = None if found is None else int(found["course"]["step"])
    with (
        seeded(lesson.seed),
        _deterministic(lesson),
        quiet(),
        opened_board(context.logs, key, done) as board,
    ):
        from mlspec.engine.training.learner import Learner

        def save() -> None:
            state = learner.state()
            if group.rank == 0:
                save_checkpoint(checkpoint, key, state)

        total = float(lesson.epochs * lesson.rows)
        profile = _profile(lesson, context, done or 0)
        learner = Learner(
            lesson,
            lesson.model.module(lesson.inputs, lesson.target),
            save if profile is None else profile.saving(save),
            board,
            lambda done: context.progress(done, total, _told(lesson, learner.course)),
            context.scratch,
            group,
            rows,
        )
        learner.asked = context.asked
        for note in notes:
            context.say(note)
        if found is not None:
            learner.resume(found)
            context.say(f"resumed from epoch {learner.course.epoch} step {learner.course.step}")
        else:
            board.opening(lesson)
        _run(lesson, learner, context.scratch, group, rows, context.say, profile)
        if profile is not None:
            for line in profile.lines():
                context.say(line)
        skipped = sum(int(line.get("train_skipped_steps", 0)) for line in learner.course.history)
        if skipped:
            context.say(
                f"{skipped:,} of {learner.course.step:,} steps were left out: a gradient overflowed fp16"
            )
        learner.take_best()
        best = learner.course.epoch if learner.patience is None else learner.patience.epoch
        module = learner.trained()
        board.vectors(lesson, module, learner.counts, learner.course.step)
        return Trained(module, tuple(learner.course.history), best)


def _profile(lesson: Lesson, context: Context, done: int) -> Profile | None:
    """Return what looks on where the spec asks for it; `done` steps need no look any more."""
    if not context.profile or context.logs is None:
        return None
    from mlspec.engine.training.profile import Profile

    inside = context.logs.is_relative_to(context.workspace)
    shown = context.logs.relative_to(context.workspace) if inside else context.logs
    return Profile(context.logs, shown.as_posix(), lesson.accelerator, -(-(lesson.steps - done) // BATCHES))


def _told(lesson: Lesson, course: Course) -> str:
    """Return what is counted, and the loss of the present epoch by now."""
    loss = f", loss {course.loss / course.rows:.4g}" if course.rows else ""
    return f"rows in {lesson.epochs} epochs{loss}"


def _check(lesson: Lesson, group: Group) -> None:
    if not lesson.rows:
        raise StepError(
            "no row is in the training split", where="data.split", fix="set data.split.train above 0"
        )
    if lesson.patience is not None and lesson.val is None:
        raise StepError(
            "early stopping watches the val split, and no row is in it",
            where="training.early_stopping",
            fix="set data.split.val above 0, or remove training.early_stopping",
        )
    if lesson.metric is not None and lesson.target.kind not in lesson.metric.targets:
        raise StepError(
            f"the metric '{lesson.metric.kind}' cannot judge a {lesson.target.kind} target",
            where="training.early_stopping.metric",
            fix="choose a metric of this kind of target, or leave it out to watch the loss",
        )
    if lesson.strategy is not None:
        lesson.strategy.begin(lesson.devices)
    check_devices(lesson.accelerator, max(lesson.devices, group.devices))


def _run(
    lesson: Lesson,
    learner: Learner,
    scratch: Path,
    group: Group,
    rows: Group,
    say: Callable[[str], None],
    profile: Profile | None,
) -> None:
    import pytorch_lightning as lightning
    from pytorch_lightning.plugins.environments import LightningEnvironment  # type: ignore[attr-defined]

    course = learner.course
    if course.epoch >= lesson.epochs or course.stopped:
        return
    trainer = lightning.Trainer(
        max_epochs=lesson.epochs - course.epoch,
        # A strategy for other devices brings its own.
        accelerator="auto" if lesson.accelerator == "tpu" else lesson.accelerator,
        devices=[group.device] if lesson.accelerator == "cuda" and group.ranks > 1 else 1,
        strategy="auto" if lesson.strategy is None else lesson.strategy.lightning(),
        # A cluster's own variables must not make Lightning look for processes: they are ours.
        plugins=[LightningEnvironment()],
        default_root_dir=scratch,
        callbacks=[] if profile is None else [profile],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    train = Shuffled(
        rows_of(lesson.train, lesson.target, lesson.class_weights),
        lesson.batch_size,
        lesson.seed,
        course.epoch,
        course.chunk,
        rows,
        draws(lesson.train, lesson.target) if lesson.balanced else None,
    )
    learner.places = train.places
    if train.windows is not None and group.rank == 0:
        say(
            f"{train.rows.bytes / 1e9:.1f} GB of training rows are shuffled in windows of "
            f"{train.windows.window:,} rows, from blocks of {train.windows.block:,} in a random order"
        )
    val = None
    if lesson.val is not None:
        val = InOrder(
            rows_of(lesson.val, lesson.target, lesson.class_weights),
            max(8192, lesson.batch_size * BATCHES),
            rows,
        )
        learner.pieces = val.pieces
    seed_xla(lesson.seed)
    chunks = train if profile is None else profile.reading(train)
    with _interruptible(learner), nullcontext() if profile is None else profile.around():
        trainer.fit(learner, chunks, val)


@contextmanager
def _deterministic(lesson: Lesson) -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    if lesson.accelerator == "cpu":
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def _interruptible(learner: Learner) -> Iterator[None]:
    """Let a signal end the training where its state is whole, and be saved; a second one ends it at once.

    Lightning exits with status 1 on an interrupt and deafens the process, and takes SIGTERM for its own.
    """
    signals = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.getsignal(number) for number in signals}

    def ask(number: int, frame: FrameType | None) -> None:
        stop = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        if learner.stop is not None:
            raise stop
        learner.stop = stop

    def listen() -> None:
        # Where a signal has no handler of Python's, its sender's meaning stays: the process ends.
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, ask)

    learner.listen = listen
    try:
        yield
    except SystemExit as exit_:
        first = exit_.__context__
        stop = learner.stop or (first if isinstance(first, KeyboardInterrupt) else KeyboardInterrupt())
        raise stop from exit_
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
