"""Training: the same bits twice, resumed or not; what it refuses; what it leaves lying about."""

from __future__ import annotations

import dataclasses
import logging
import os
import random
import signal
import socket
import types
import warnings
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, QuantileRegressor

from mlspec.engine.judging.answers import answers
from mlspec.engine.training import fit as fit_room
from mlspec.engine.training import learner as learner_room
from mlspec.engine.training.checkpoint import before, load_checkpoint
from mlspec.engine.training.chunks import Shuffled, draws, rows_of
from mlspec.engine.training.fit import CHECKPOINT, Trained, fit
from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.engine.training.module import scores_of
from mlspec.errors import MissingError, StepError, Terminated
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.metric import Metric
from mlspec.sdk.slot import Slot
from mlspec.sdk.terminable import terminable
from mlspec.sdk.training import Optimizer
from tests.planted import INPUTS, planted, target_of

ROWS = 600
STEPS = 75


class Failing(Optimizer):
    """AdamW whose machine goes down at a step."""

    lr: float = 0.01
    at: int = -1
    error: str = "down"

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        options, steps = self, 0

        class Machine(torch.optim.AdamW):
            def step(self, closure: Any = None) -> Any:
                nonlocal steps
                steps += 1
                if steps == options.at:
                    raise KeyboardInterrupt if options.error == "interrupt" else RuntimeError(options.error)
                return super().step(closure)

        return Machine(parameters, lr=self.lr)


class Scripted(Metric):
    """Gives the values it was told, one an epoch."""

    targets = ("binary", "category", "number")
    better: Literal["higher", "lower"] = "higher"
    values: Any

    def value(self, answers: Any) -> float:
        return float(next(self.values))


def scripted(*values: float) -> Scripted:
    return Scripted(kind="scripted", values=iter(values))


def choose(slot: str, value: Any) -> Any:
    return Slot(slot).choose(value)


def lesson(kind: Any = "binary", rows: int = ROWS, **changes: Any) -> Lesson:
    train = planted(kind, rows, 1)
    plain = Lesson(
        model=choose("model", {"kind": "mlp", "hidden": (16,), "dropout": 0.2}),
        inputs=INPUTS,
        target=target_of(kind, train),
        train=train,
        val=planted(kind, 200, 2),
        optimizer=Failing(),
        schedule=choose("schedule", "one_cycle"),
        epochs=3,
        batch_size=8,
        seed=7,
    )
    return dataclasses.replace(plain, **changes)


def run(what: Lesson, folder: Path, **context: Any) -> Trained:
    return fit(
        what,
        Context(workspace=folder, **({"scratch": folder / "scratch", "say": lambda line: None} | context)),
        "key",
    )


def bits(trained: Trained) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in trained.module.state_dict().items()}


@pytest.mark.parametrize("at", [5, 17, STEPS, STEPS + 1, STEPS + 25, 2 * STEPS + 70])
def test_a_killed_training_goes_on_and_ends_with_the_same_bits(at: int, tmp_path: Path) -> None:
    whole = lesson(
        patience=3,
        metric=choose("metric", "auroc"),
        class_weights=(1.0, 3.0),
        save_every=0.0,
    )
    expected = run(whole, tmp_path / "whole")
    broken = dataclasses.replace(whole, optimizer=Failing(at=at))
    with pytest.raises(RuntimeError, match="down"):
        run(broken, tmp_path)
    said: list[str] = []
    found = run(whole, tmp_path, say=said.append)
    assert bits(found) == bits(expected)
    assert found.history == expected.history
    assert found.best_epoch == expected.best_epoch
    # A chunk is 16 batches, and no epoch's last chunk is full.
    epoch, step = divmod(at - 1, STEPS)
    done = epoch * STEPS + step // 16 * 16
    assert said == ([f"resumed from epoch {epoch} step {done}"] if done else [])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", {"kind": "sgd", "nesterov": True}])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "linear", None])
def test_every_optimizer_and_schedule_can_be_resumed(
    optimizer: Any, schedule: str | None, tmp_path: Path
) -> None:
    whole = lesson(
        optimizer=choose("optimizer", optimizer),
        schedule=None if schedule is None else choose("schedule", schedule),
        epochs=2,
    )
    expected = run(whole, tmp_path / "whole")

    def stop(done: float, total: float | None, unit: str) -> None:
        if done > ROWS * 1.5:
            raise RuntimeError("down")

    with pytest.raises(RuntimeError, match="down"):
        run(whole, tmp_path, progress=stop)
    assert bits(run(whole, tmp_path)) == bits(expected)


def test_a_finished_checkpoint_is_not_trained_again(tmp_path: Path) -> None:
    first = run(lesson(save_every=0.0), tmp_path)
    again = run(lesson(optimizer=Failing(at=1)), tmp_path)
    assert bits(again) == bits(first)


def test_epochs_are_saved_as_far_as_that_takes_a_fiftieth_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, saves = [1000.0], []

    def save(*given: Any) -> None:
        saves.append(now[0])
        now[0] += 2.0  # seconds that a checkpoint takes

    def tick(done: float, total: float | None, unit: str) -> None:
        now[0] += 7.0  # seconds that a chunk takes, of which an epoch has five

    monkeypatch.setattr(fit_room, "save_checkpoint", save)
    monkeypatch.setattr(learner_room, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    run(lesson(epochs=12), tmp_path, progress=tick)
    # The first epoch; then those before which a hundred seconds have passed.
    assert [round(after - before) for before, after in pairwise([1000.0, *saves])] == [35, 107, 107, 107]


def test_a_checkpoint_of_another_training_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    whole = lesson(epochs=1)
    expected = run(whole, tmp_path / "clean")
    run(lesson(epochs=2, seed=8, save_every=0.0), tmp_path)
    said: list[str] = []
    found = fit(
        whole, Context(workspace=tmp_path, scratch=tmp_path / "scratch", say=said.append), "another key"
    )
    assert bits(found) == bits(expected)
    assert "of other parameters or other data lies here: it is not used" in said[0]
    assert said[-1] == "the training starts anew"


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_behind_a_damaged_checkpoint_the_one_before_goes_on_with_the_same_bits(
    content: bytes | None, tmp_path: Path
) -> None:
    whole = lesson(save_every=0.0)
    expected = run(whole, tmp_path / "clean")
    with pytest.raises(RuntimeError):
        run(dataclasses.replace(whole, optimizer=Failing(at=2 * STEPS)), tmp_path)
    last = tmp_path / "scratch" / CHECKPOINT
    flipped = bytearray(last.read_bytes())
    flipped[-1] ^= 1
    last.write_bytes(bytes(flipped) if content is None else content)
    said: list[str] = []
    assert bits(run(whole, tmp_path, say=said.append)) == bits(expected)
    assert said == [
        f"the checkpoint {CHECKPOINT} is damaged: it is not used",
        f"resumed from epoch 1 step {STEPS + 48}",
    ]
    for file in (tmp_path / "scratch").iterdir():
        file.write_bytes(b"")
    assert bits(run(whole, tmp_path, say=said.append)) == bits(expected)
    assert said[-1] == "the training starts anew"


def test_the_scratch_folder_holds_two_files_and_no_pickle(tmp_path: Path) -> None:
    run(lesson(save_every=0.0), tmp_path)
    files = sorted((tmp_path / "scratch").iterdir())
    assert [file.name for file in files] == [before(Path(CHECKPOINT)).name, CHECKPOINT]
    from safetensors import safe_open

    for one in files:
        with safe_open(one, framework="np") as file:
            assert set(file.metadata()) == {"mlspec"}


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "linear", None])
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_steps_with_early_stopping_it_ends_with_the_same_bits(
    schedule: str | None, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(f"{seed} {schedule}")
    whole = lesson(
        schedule=None if schedule is None else choose("schedule", schedule),
        optimizer=Failing(lr=0.05),
        metric=choose("metric", "auroc"),
        patience=1,
        epochs=8,
        save_every=chance.choice((0.0, 1e9)),
    )
    expected = run(whole, tmp_path / "whole")
    done = STEPS * len(expected.history)
    assert len(expected.history) < whole.epochs  # early stopping ended it
    # Killed, gone on, and killed again further on.
    for at in sorted(chance.sample(range(2, done), 2)):
        reached: list[str] = []
        resumed = 0
        with pytest.raises(RuntimeError, match="down"):
            file = tmp_path / "scratch" / CHECKPOINT
            if file.is_file():
                state, _ = load_checkpoint(file, "key")
                assert state is not None
                resumed = state["course"]["step"]
            run(
                dataclasses.replace(whole, optimizer=Failing(lr=0.05, at=at - resumed)),
                tmp_path,
                say=reached.append,
            )
        assert len(reached) == (1 if resumed else 0)
    found = run(whole, tmp_path)
    assert bits(found) == bits(expected)
    assert (found.history, found.best_epoch) == (expected.history, expected.best_epoch)


class Signalling(Optimizer):
    """AdamW whose process gets a signal at a step."""

    lr: float = 0.01
    at: int = -1
    number: int = 0
    times: int = 1

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        options, steps = self, 0

        class Signalled(torch.optim.AdamW):
            def step(self, closure: Any = None) -> Any:
                nonlocal steps
                steps += 1
                if options.at <= steps < options.at + options.times and options.at > 0:
                    os.kill(os.getpid(), options.number)
                return super().step(closure)

        return Signalled(parameters, lr=self.lr)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
@pytest.mark.parametrize("at", [3, 20, STEPS - 1, STEPS + 5])
def test_a_signal_saves_first_and_the_next_training_goes_on_from_there(
    number: int, error: type[BaseException], at: int, tmp_path: Path
) -> None:
    whole = lesson(optimizer=Signalling(), patience=3)
    expected = run(whole, tmp_path / "whole")
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    stopped = dataclasses.replace(whole, optimizer=Signalling(at=at, number=number))
    with terminable(), pytest.raises(KeyboardInterrupt) as caught:
        run(stopped, tmp_path)
    assert caught.type is error
    assert {each: signal.getsignal(each) for each in handlers} == handlers
    said: list[str] = []
    assert bits(run(whole, tmp_path, say=said.append)) == bits(expected)
    # The chunk of 16 batches in which the signal came is finished, and saved.
    epoch, step = divmod(at - 1, STEPS)
    ended = min((step // 16 + 1) * 16, STEPS)
    epoch += ended == STEPS
    assert said == [f"resumed from epoch {epoch} step {(at - 1) // STEPS * STEPS + ended}"]


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(lesson(optimizer=Signalling(at=3, number=signal.SIGINT, times=2)), tmp_path)
    assert not (tmp_path / "scratch" / CHECKPOINT).exists()


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_every_row_is_learnt_once_an_epoch_the_last_short_batch_too(kind: Any, tmp_path: Path) -> None:
    train = planted(kind, 101, 1)
    # At a rate of almost nothing the model stays at zero, so the mean of the loss is known.
    still = lesson(
        kind,
        train=train,
        target=target_of(kind, train),
        model=choose("model", "linear"),
        optimizer=choose("optimizer", {"kind": "sgd", "lr": 1e-12, "momentum": 0.0}),
        schedule=None,
        epochs=1,
        batch_size=16,
    )
    expected = {"binary": np.log(2), "category": np.log(3), "number": 1.0}[kind]
    assert run(still, tmp_path).history[0]["train_loss"] == pytest.approx(expected, rel=1e-6)


def test_weights_of_rows_and_classes_are_those_of_scikit_learn(tmp_path: Path) -> None:
    random_ = np.random.default_rng(0)
    numbers = random_.standard_normal((400, 3)).astype(np.float32)
    truth = (numbers @ [1.0, -2.0, 0.5] + random_.standard_normal(400) * 2 > 1).astype(float)
    weight = random_.uniform(0.1, 5, 400).astype(np.float32)
    train = Encoded(numbers, np.zeros((400, 0), np.int32), truth, weight)
    factors = (0.5, 4.0)
    trained = run(
        lesson(
            train=train,
            val=None,
            inputs=ModelInputs(numbers=3),
            model=choose("model", "linear"),
            optimizer=choose("optimizer", {"kind": "sgd", "lr": 1.0, "momentum": 0.9}),
            schedule=None,
            epochs=300,
            batch_size=400,
            class_weights=factors,
        ),
        tmp_path,
    )
    reference = LogisticRegression(C=np.inf, tol=1e-10, class_weight={0: factors[0], 1: factors[1]})
    reference.fit(numbers, truth, sample_weight=weight)
    state = trained.module.state_dict()
    assert state["numbers"].numpy() == pytest.approx(reference.coef_, abs=2e-4)
    assert state["bias"].numpy() == pytest.approx(reference.intercept_, abs=2e-4)


@pytest.mark.parametrize("changes", [{}, {"class_weights": (1.0, 3.0)}, {"accumulate": 5}])
def test_a_batch_in_parts_is_the_batch(changes: dict[str, Any], tmp_path: Path) -> None:
    what = lesson(
        rows=203, epochs=2, batch_size=50, model=choose("model", {"kind": "mlp", "hidden": (16,)}),
        optimizer=choose("optimizer", {"kind": "sgd", "lr": 0.1}),
    )  # fmt: skip
    parts = dataclasses.replace(what, **({"accumulate": 3} | changes))
    whole = dataclasses.replace(what, **{key: value for key, value in changes.items() if key != "accumulate"})
    one, other = run(whole, tmp_path / "one"), run(parts, tmp_path / "parts")
    for name, value in one.module.state_dict().items():
        np.testing.assert_allclose(other.module.state_dict()[name], value, rtol=1e-5, atol=1e-7)
    assert [line["train_loss"] for line in other.history] == pytest.approx(
        [line["train_loss"] for line in one.history], rel=1e-5
    )


def test_a_long_gradient_is_shortened_to_what_was_asked(tmp_path: Path) -> None:
    inputs = ModelInputs(numbers=4)
    train = planted("number", 64, 1, inputs)
    what = lesson(
        train=train, target=target_of("number", train), inputs=inputs, model=choose("model", "linear"),
        optimizer=choose("optimizer", {"kind": "sgd", "lr": 1.0, "momentum": 0.0}), schedule=None, val=None,
        epochs=1, batch_size=64,
    )  # fmt: skip

    def length(clip_norm: float | None) -> float:
        found = run(dataclasses.replace(what, clip_norm=clip_norm), tmp_path / str(clip_norm))
        return float(sum((value**2).sum() for value in found.module.state_dict().values()) ** 0.5)

    # Linear models begin at zero: after one step of plain descent the weights are the gradient.
    free = length(None)
    assert (
        free > 0.5
        and length(0.1) == pytest.approx(0.1, rel=1e-4)
        and length(10 * free) == pytest.approx(free)
    )


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_about_the_same_and_not_the_same(
    precision: Literal["bf16", "fp16"], tmp_path: Path
) -> None:
    what = lesson(epochs=4, model=choose("model", {"kind": "mlp", "hidden": (16,)}))
    half = dataclasses.replace(what, precision=precision)
    one, other = run(what, tmp_path / "fp32"), run(half, tmp_path / "bf16")
    state = other.module.state_dict()
    assert bits(one) != bits(other) and all(value.dtype == torch.float32 for value in state.values())
    assert other.history[-1]["train_loss"] == pytest.approx(one.history[-1]["train_loss"], rel=0.05)
    assert bits(run(half, tmp_path / "again")) == bits(other)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_blocks_that_are_computed_again_give_the_same_bits(dropout: float, tmp_path: Path) -> None:
    options = {"kind": "ft_transformer", "width": 8, "blocks": 2, "heads": 2}
    model = choose("model", options | {"attention_dropout": dropout, "hidden_dropout": dropout})
    what = lesson(rows=120, epochs=2, batch_size=32, model=model)
    one = run(what, tmp_path / "kept")
    other = run(dataclasses.replace(what, recompute=True), tmp_path / "again")
    assert bits(one) == bits(other) and one.history == other.history


@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_a_quantile_is_that_of_scikit_learn(q: float, tmp_path: Path) -> None:
    random_ = np.random.default_rng(0)
    numbers = random_.standard_normal((400, 2)).astype(np.float32)
    truth = numbers @ [1.0, -2.0] + random_.exponential(2.0, 400)
    train = Encoded(numbers, np.zeros((400, 0), np.int32), truth)
    target = target_of("number", train)
    trained = run(
        lesson(
            train=train,
            val=None,
            inputs=ModelInputs(numbers=2),
            target=target,
            model=choose("model", "linear"),
            loss=choose("loss", {"kind": "quantile", "q": q}),
            optimizer=choose("optimizer", {"kind": "adam", "lr": 0.02}),
            schedule=choose("schedule", {"kind": "linear", "warm_up": 0.0}),
            epochs=80,
            batch_size=20,
        ),
        tmp_path,
    )
    reference = QuantileRegressor(quantile=q, alpha=0.0, solver="highs").fit(numbers, truth)
    found = scores_of(trained.module, train, target)[:, 0] * target.std + target.mean
    assert found == pytest.approx(reference.predict(numbers), abs=0.1)
    assert float((truth < found).mean()) == pytest.approx(q, abs=0.02)


def test_huber_s_line_is_not_pulled_by_rows_far_off(tmp_path: Path) -> None:
    random_ = np.random.default_rng(0)
    numbers = random_.standard_normal((500, 1)).astype(np.float32)
    truth = 3.0 * numbers[:, 0] + random_.standard_normal(500) * 0.1
    truth[:25] += 200.0
    train = Encoded(numbers, np.zeros((500, 0), np.int32), truth)
    target = target_of("number", train)

    def line(loss: Any) -> Any:
        what = lesson(
            train=train,
            val=None,
            inputs=ModelInputs(numbers=1),
            target=target,
            model=choose("model", "linear"),
            loss=loss,
            optimizer=choose("optimizer", {"kind": "adam", "lr": 0.01}),
            schedule=None,
            epochs=30,
            batch_size=20,
        )
        trained = run(what, tmp_path / str(loss is None))
        return scores_of(trained.module, train, target)[25:, 0] * target.std + target.mean

    pulled, not_pulled = line(None), line(choose("loss", {"kind": "huber", "delta": 0.01}))
    assert np.abs(pulled - truth[25:]).mean() > 8 and np.abs(not_pulled - truth[25:]).mean() < 0.5


def test_balanced_rows_bring_each_class_equally_often_and_the_same_ones_again() -> None:
    codes = np.repeat([0, 1, 2], [900, 90, 10]).astype(np.float64)
    train = Encoded(np.arange(1000, dtype=np.float32)[:, None], np.zeros((1000, 0), np.int32), codes)
    target = FittedTarget(
        column="y", kind="category", classes=("a", "b", "c", "never"), counts=(900, 90, 10, 0)
    )
    rows, likely = rows_of(train, target, None), draws(train, target)

    def drawn(epoch: int, chunk: int = 0, group: Group | None = None) -> list[list[int]]:
        chunks = iter(Shuffled(rows, 7, 5, epoch, chunk, group, likely))
        return [found[0][:, 0].int().tolist() for found in chunks]

    whole = [row for epoch in range(20) for part in drawn(epoch) for row in part]
    assert len(whole) == 20_000
    shares = np.bincount(codes.astype(int)[whole]) / len(whole)
    assert shares == pytest.approx([1 / 3] * 3, abs=0.02)
    assert len(set(whole)) > 990  # every row has its chance
    assert drawn(3) == drawn(3) != drawn(4) and drawn(3, 5) == drawn(3)[5:]
    parts = [drawn(3, group=Group(rank, 2)) for rank in range(2)]
    together = sorted(row for rank in parts for part in rank for row in part)
    assert together == sorted(row for part in drawn(3) for row in part)


def test_a_rare_class_is_found_by_balanced_rows(tmp_path: Path) -> None:
    random_ = np.random.default_rng(0)
    numbers = random_.standard_normal((3000, 2)).astype(np.float32)
    truth = (numbers[:, 0] + random_.standard_normal(3000) * 0.7 > 2.2).astype(np.float64)
    train = Encoded(numbers, np.zeros((3000, 0), np.int32), truth)
    found = []
    for balanced in (False, True):
        what = lesson(
            train=train, val=None, inputs=ModelInputs(numbers=2), model=choose("model", "linear"), epochs=5,
            optimizer=choose("optimizer", {"kind": "adam", "lr": 0.02}), balanced=balanced,
        )  # fmt: skip
        scores = scores_of(run(what, tmp_path / str(balanced)).module, train, what.target)[:, 0]
        found.append(float((scores[truth == 1] > 0).mean()))
    assert found[0] < 0.6 and found[1] > 0.85


def test_early_stopping_keeps_the_best_epoch(tmp_path: Path) -> None:
    whole = lesson(epochs=9, schedule=None)
    stopped = run(
        dataclasses.replace(whole, metric=scripted(0.1, 0.5, 0.5, 0.4), patience=2), tmp_path / "stopped"
    )
    assert stopped.best_epoch == 2
    assert [line["epoch"] for line in stopped.history] == [1, 2, 3, 4]
    assert [line["val_scripted"] for line in stopped.history] == [0.1, 0.5, 0.5, 0.4]
    two = run(dataclasses.replace(whole, epochs=2), tmp_path / "two")
    assert bits(stopped) == bits(two)


def test_without_a_metric_the_loss_on_val_is_watched(tmp_path: Path) -> None:
    found = run(lesson(epochs=4, patience=4), tmp_path)
    losses = [line["val_loss"] for line in found.history]
    assert found.best_epoch == int(np.argmin(losses)) + 1


def test_the_loss_on_val_is_that_of_the_kept_weights(tmp_path: Path) -> None:
    what = lesson(epochs=2, patience=5)
    found = run(what, tmp_path)
    assert what.val is not None
    shares = answers(scores_of(found.module, what.val, what.target), what.val, what.target).probabilities
    assert shares is not None
    own = -np.log(shares[np.arange(what.val.rows), what.val.target.astype(int)]).mean()
    assert own == pytest.approx(found.history[found.best_epoch - 1]["val_loss"], rel=1e-5)


def test_a_code_that_training_never_saw_gets_the_mean_of_those_it_saw(tmp_path: Path) -> None:
    train = planted("binary", ROWS, 1)
    found = run(lesson(train=train), tmp_path)
    seen = np.bincount(train.codes[:, 0], minlength=6)
    assert seen[0] == seen[1] == 0
    table = next(
        table for table in found.module.get_submodule("tables").children() if 0 in table.group.columns
    )
    lines = table.weight.detach().numpy()[:6]
    mean = (seen / seen.sum()) @ lines
    for code in np.flatnonzero(seen == 0):
        assert lines[code] == pytest.approx(mean, abs=1e-6)


def test_a_loss_that_leaves_the_numbers_ends_the_training(tmp_path: Path) -> None:
    leap = choose("optimizer", {"kind": "sgd", "lr": 100.0, "momentum": 0.99})
    wild = lesson("number", optimizer=leap, schedule=None, epochs=20)
    with pytest.raises(StepError, match=r"no longer a finite number, in epoch \d+ at step \d+") as caught:
        run(wild, tmp_path)
    assert "lr" in (caught.value.fix or "")


def test_a_measure_that_cannot_tell_ends_the_training(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="'val_scripted' is no finite number in epoch 2"):
        run(lesson(metric=scripted(0.5, float("nan")), patience=2), tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"val": None, "patience": 2}, "val split"),
        ({"train": planted("binary", 0, 1)}, "no row is in the training split"),
        ({"metric": choose("metric", "rmse"), "patience": 2}, "'rmse' cannot judge a binary target"),
    ],
)
def test_what_cannot_be_taught_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(StepError, match=words):
        run(lesson(**changes), tmp_path)


def test_a_device_that_is_not_here_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MissingError, match="no CUDA device here"):
        run(lesson(accelerator="cuda"), tmp_path)


def test_it_is_quiet_and_leaves_the_process_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("a training opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    logging.getLogger("pytorch_lightning").setLevel(logging.INFO)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    handler = signal.getsignal(signal.SIGINT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(lesson(save_every=0.0), tmp_path)
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch"]
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    assert signal.getsignal(signal.SIGINT) is handler
    assert not torch.are_deterministic_algorithms_enabled()
    assert logging.getLogger("pytorch_lightning").level == logging.INFO


def test_an_interrupt_stays_an_interrupt(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(lesson(optimizer=Failing(at=20, error="interrupt")), tmp_path)
    assert signal.getsignal(signal.SIGINT) is handler


def test_progress_ends_at_all_rows(tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str]] = []
    found = run(lesson(), tmp_path, progress=lambda *line: told.append(line))
    loss = found.history[-1]["train_loss"]
    assert told[-1] == (3 * ROWS, 3 * ROWS, f"rows in 3 epochs, loss {loss:.4g}")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_it_learns_on_cuda(precision: Literal["fp32", "bf16", "fp16"], tmp_path: Path) -> None:
    found = run(lesson(accelerator="cuda", epochs=6, precision=precision), tmp_path)
    assert next(found.module.parameters()).device.type == "cpu"
    assert found.history[-1]["val_loss"] < 0.3
