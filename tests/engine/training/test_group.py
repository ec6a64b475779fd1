"""Training in two processes is held to training in one: weights, loss, stops, resumption."""

from __future__ import annotations

import dataclasses
import multiprocessing
import re
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mlspec.engine.training.fit import Trained, fit
from mlspec.engine.training.group import Group
from mlspec.engine.training.lesson import Lesson
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.slot import Slot
from tests.planted import INPUTS, planted, target_of

ROWS, BATCH = 1565, 32
"""49 batches, the last of 29 rows: it cannot be halved."""


def choose(slot: str, value: Any) -> Any:
    return Slot(slot).choose(value)


def weighted(rows: Encoded) -> Encoded:
    weight = np.random.default_rng(5).uniform(0.2, 3.0, rows.rows).astype(np.float32)
    return dataclasses.replace(rows, weight=weight)


def lesson(kind: Any = "binary", rows: int = ROWS, **changes: Any) -> Lesson:
    train = planted(kind, rows, 1)
    plain = Lesson(
        model=choose("model", {"kind": "mlp", "hidden": (16,), "dropout": 0.0}),
        inputs=INPUTS,
        target=target_of(kind, train),
        train=train,
        val=planted(kind, 201, 2),
        # Where a gradient is almost nothing, Adam makes rounding as large as a step: SGD shows the gradient.
        optimizer=choose("optimizer", {"kind": "sgd", "lr": 0.05}),
        schedule=choose("schedule", "cosine"),
        epochs=2,
        batch_size=BATCH,
        seed=7,
        strategy=choose("strategy", "ddp"),
    )
    return dataclasses.replace(plain, **changes)


def alone(what: Lesson, folder: Path, key: str = "key") -> Trained:
    return fit(what, Context(workspace=folder, scratch=folder, say=lambda line: None), key)


def _take_part(what: Lesson, folder: Path, group: Group, results: Any, limit: float) -> None:
    def stop(done: float, total: float | None, unit: str) -> None:
        if done > limit:
            raise RuntimeError("down")

    context = Context(workspace=folder, scratch=folder, say=lambda line: None, progress=stop)
    try:
        with group.together("cpu"):
            found = fit(what, context, "key", group)
    except (RuntimeError, StepError) as fault:
        results.put(
            (
                group.rank,
                repr(fault)
                if isinstance(fault, StepError) or "down" in str(fault)
                else traceback.format_exc(),
            )
        )
        return
    state = {name: value.numpy() for name, value in found.module.state_dict().items()}
    results.put((group.rank, (state, found.history, found.best_epoch)))


def shared(what: Lesson, folder: Path, ranks: int = 2, limit: float = 1e18) -> list[Any]:
    """Return what each rank gives."""
    forked = multiprocessing.get_context("fork")
    results = forked.Queue()
    folder.mkdir(exist_ok=True)
    store = folder / "store"
    store.unlink(missing_ok=True)
    children = [
        forked.Process(target=_take_part, args=(what, folder, Group(rank, ranks, store), results, limit))
        for rank in range(ranks)
    ]
    for child in children:
        child.start()
    found = dict(results.get(timeout=60) for _ in children)
    for child in children:
        child.join(60)
    return [found[rank] for rank in range(ranks)]


def close(found: Any, expected: Trained, rtol: float = 1e-5) -> None:
    state, history, best = found
    for name, value in expected.module.state_dict().items():
        np.testing.assert_allclose(state[name], value.numpy(), rtol=rtol, atol=rtol / 100, err_msg=name)
    assert len(history) == len(expected.history)
    for line, other in zip(history, expected.history, strict=True):
        assert line == pytest.approx(other, rel=rtol)
    assert best == expected.best_epoch


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_two_processes_learn_what_one_does(kind: Any, tmp_path: Path) -> None:
    what = lesson(kind)
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path))


def test_weights_of_rows_and_classes_count_the_same(tmp_path: Path) -> None:
    what = lesson(train=weighted(planted("binary", ROWS, 1)), class_weights=(1.0, 3.0))
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path))


@pytest.mark.parametrize("strategy", ["ddp", "fsdp", "tensor_parallel"])
def test_batches_in_parts_and_short_gradients_are_the_same(strategy: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"strategy": choose("strategy", strategy)}
    if strategy != "ddp":
        options |= {"optimizer": choose("optimizer", {"kind": "sgd", "lr": 0.05, "momentum": 0.9})}
    what = lesson(accumulate=3, clip_norm=0.05, **options)
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path), 1e-4 if strategy == "tensor_parallel" else 1e-5)


def test_a_loss_and_balanced_rows_are_the_same(tmp_path: Path) -> None:
    what = lesson(loss=choose("loss", "focal"), balanced=True)
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path))


@pytest.mark.parametrize("rows", [65, 2])
def test_a_rank_without_a_row_takes_the_step_all_the_same(rows: int, tmp_path: Path) -> None:
    what = lesson("number", rows, val=planted("number", 1, 2), batch_size=min(rows - 1, BATCH))
    for found in shared(what, tmp_path / "three", ranks=3):
        close(found, alone(what, tmp_path))


def test_early_stopping_ends_all_ranks_at_the_same_epoch(tmp_path: Path) -> None:
    what = lesson(rows=320, epochs=30, patience=1, metric=choose("metric", "auroc"))
    expected = alone(what, tmp_path)
    assert len(expected.history) < 30
    for found in shared(what, tmp_path / "two"):
        close(found, expected)


@pytest.mark.parametrize(("before", "after"), [(2, 2), (2, 3), (2, 1), (1, 2)])
def test_a_killed_training_goes_on_with_as_many_processes_or_others(
    before: int, after: int, tmp_path: Path
) -> None:
    what = lesson(save_every=0.0)
    expected = alone(what, tmp_path / "whole")
    (tmp_path / "cut").mkdir()
    limit = ROWS * 1.4
    if before > 1:
        assert shared(what, tmp_path / "cut", before, limit)[0] == "RuntimeError('down')"
    else:
        _take_part(what, tmp_path / "cut", Group(), multiprocessing.get_context("fork").Queue(), limit)
    if after > 1:
        for found in shared(what, tmp_path / "cut", after):
            close(found, expected)
    else:
        found = alone(what, tmp_path / "cut")
        state = {name: value.numpy() for name, value in found.module.state_dict().items()}
        close((state, found.history, found.best_epoch), expected)


def test_dropout_draws_the_same_again_when_resumed(tmp_path: Path) -> None:
    model = choose("model", {"kind": "mlp", "hidden": (16,), "dropout": 0.3})
    what = lesson(model=model, save_every=0.0)
    whole = shared(what, tmp_path / "whole")
    shared(what, tmp_path / "cut", limit=ROWS * 1.4)
    again = shared(what, tmp_path / "cut")
    for name, value in whole[0][0].items():
        assert value.tobytes() == again[0][0][name].tobytes() == again[1][0][name].tobytes()


SHARDED = {"kind": "fsdp", "unit": 1}
MOMENTUM = {"kind": "sgd", "lr": 0.05, "momentum": 0.9}


@pytest.mark.parametrize("keep", [False, True])
def test_parted_weights_learn_what_whole_ones_do(keep: bool, tmp_path: Path) -> None:
    """Weights that cannot be halved, codes that no row held, and a val split that ends the training."""
    strategy = choose("strategy", SHARDED | {"keep": keep})
    options = {"patience": 1, "metric": choose("metric", "auroc"), "epochs": 5, "rows": 320} if keep else {}
    model = {"kind": "mlp", "hidden": (16,)}
    still = {"attention_dropout": 0.0, "hidden_dropout": 0.0}
    if keep:
        model = {"kind": "ft_transformer", "width": 8, "heads": 2, "blocks": 1, "hidden": 8, **still}
    options["model"] = choose("model", model)
    what = lesson("binary", strategy=strategy, optimizer=choose("optimizer", MOMENTUM), **options)
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path))


def goes_on(what: Lesson, before: int, after: int, folder: Path, rtol: float = 1e-5) -> None:
    """Kill a training, and go on with others: it learns what one that was left alone does."""
    expected = alone(what, folder / "whole")
    (folder / "cut").mkdir()
    if before > 1:
        assert shared(what, folder / "cut", before, 1100)[0] == "RuntimeError('down')"
    else:
        _take_part(what, folder / "cut", Group(), multiprocessing.get_context("fork").Queue(), 1100)
    assert (folder / "cut" / "training.safetensors").is_file()
    found = shared(what, folder / "cut", after) if after > 1 else [as_told(alone(what, folder / "cut"))]
    for one in found:
        close(one, expected, rtol)


@pytest.mark.parametrize(("before", "after"), [(2, 2), (2, 3), (2, 1), (1, 2)])
def test_a_killed_training_with_parted_weights_goes_on_with_other_parts(
    before: int, after: int, tmp_path: Path
) -> None:
    what = lesson(
        save_every=0.0, strategy=choose("strategy", SHARDED), optimizer=choose("optimizer", MOMENTUM),
        patience=9, rows=800,
    )  # fmt: skip
    goes_on(what, before, after, tmp_path)


def test_cut_layers_learn_what_whole_ones_do_and_go_on_in_one_process(tmp_path: Path) -> None:
    """Three layers of which two are cut; the first run of them is killed."""
    model = choose("model", {"kind": "mlp", "hidden": (16, 8), "activation": "gelu"})
    what = lesson(
        "category", strategy=choose("strategy", "tensor_parallel"), optimizer=choose("optimizer", MOMENTUM),
        model=model, patience=9, save_every=0.0,
    )  # fmt: skip
    expected = alone(what, tmp_path / "whole")
    assert shared(what, tmp_path / "cut", 2, ROWS * 1.4)[0] == "RuntimeError('down')"
    kept = (tmp_path / "cut" / "training.safetensors").read_bytes()
    for found in shared(what, tmp_path / "cut"):
        close(found, expected, 1e-4)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "training.safetensors").write_bytes(kept)
    close(as_told(alone(what, tmp_path / "one")), expected, 1e-4)


STILL = {
    "kind": "ft_transformer", "width": 8, "heads": 4, "blocks": 2, "hidden": 6, "attention_dropout": 0.0,
    "hidden_dropout": 0.0,
}  # fmt: skip
RESNET = {"kind": "resnet", "width": 8, "hidden": 12, "blocks": 2, "hidden_dropout": 0.0}


@pytest.mark.parametrize("model", [STILL, RESNET], ids=lambda value: value["kind"])
def test_cut_blocks_learn_what_whole_ones_do_and_go_on_in_one_process(model: Any, tmp_path: Path) -> None:
    """Attention by its heads, gated layers by pieces of both halves, blocks with batch normalisation."""
    what = lesson(
        rows=800, strategy=choose("strategy", "tensor_parallel"), optimizer=choose("optimizer", MOMENTUM),
        model=choose("model", model), save_every=0.0, recompute=model is STILL,
    )  # fmt: skip
    goes_on(what, 2, 1, tmp_path, 1e-4)
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path / "one"), 1e-4)


SETS = {"kind": "tensor_parallel", "tensor": 2}


@pytest.mark.parametrize(
    ("model", "optimizer"),
    # The two together: the next test.
    [(None, MOMENTUM), (None, {"kind": "adamw", "lr": 0.01}), (STILL, MOMENTUM)],
    ids=["mlp-sgd", "mlp-adamw", "ft_transformer-sgd"],
)
def test_sets_of_devices_with_cut_layers_learn_what_one_process_does(
    model: Any, optimizer: Any, tmp_path: Path
) -> None:
    """50 steps in four processes, two by two; the last batch of 29 rows cannot be halved."""
    options = {"accumulate": 3, "clip_norm": 0.05} if model is None else {"model": choose("model", model)}
    what = lesson(
        "category", strategy=choose("strategy", SETS), optimizer=choose("optimizer", optimizer),
        patience=9, metric=choose("metric", "accuracy"), train=weighted(planted("category", 797, 1)),
        **options,
    )  # fmt: skip
    for found in shared(what, tmp_path / "four", ranks=4):
        close(found, alone(what, tmp_path), 1e-4)


@pytest.mark.parametrize("devices", [2, 4])
def test_cut_attention_learns_by_adamw_what_one_process_does_but_for_the_bias_of_keys(
    devices: int, tmp_path: Path
) -> None:
    """The bias of keys adds one number to all that a softmax compares: its gradient is nothing but rounding,
    which AdamW makes as large as a step. No answer looks at it.
    """
    what = lesson(
        rows=320, strategy=choose("strategy", SETS), model=choose("model", STILL), patience=9,
        optimizer=choose("optimizer", {"kind": "adamw", "lr": 0.01}),
    )  # fmt: skip
    expected = alone(what, tmp_path)
    width = STILL["width"]
    for state, history, best in shared(what, tmp_path / "more", ranks=devices):
        free = [name for name in state if name.endswith("attention.enter.bias")]
        assert len(free) == STILL["blocks"]
        for name in free:
            state[name][width : 2 * width] = expected.module.state_dict()[name][width : 2 * width].numpy()
        close((state, history, best), expected, 1e-4)


@pytest.mark.parametrize(("before", "after"), [(4, 4), (4, 2), (4, 1), (1, 4)])
def test_a_killed_training_in_sets_of_devices_goes_on_in_others(
    before: int, after: int, tmp_path: Path
) -> None:
    what = lesson(
        save_every=0.0, strategy=choose("strategy", SETS), optimizer=choose("optimizer", MOMENTUM),
        patience=9, rows=800,
    )  # fmt: skip
    goes_on(what, before, after, tmp_path, 1e-4)


def test_sets_of_devices_name_the_rows_at_which_a_loss_is_no_number(tmp_path: Path) -> None:
    train = planted("number", ROWS, 1)
    target = np.array(train.target)
    target[[700, 1200]] = np.inf
    what = lesson(
        "number", train=dataclasses.replace(train, target=target), target=target_of("number", train),
        names=lambda rows: [f"id '{row}'" for row in rows], strategy=choose("strategy", SETS),
    )  # fmt: skip
    for found in shared(what, tmp_path / "four", ranks=4):
        assert re.search(r"began with 1 of the 32 rows of a batch: id '(700|1200)'", found), found


ZERO = [{"kind": "deepspeed", "stage": stage} for stage in (1, 2, 3)]
OFFLOADED = {"kind": "deepspeed", "stage": 3, "offload_optimizer": "cpu", "offload_parameters": "cpu"}


@pytest.fixture
def zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import DeepSpeed once, before processes are forked."""
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    import deepspeed  # noqa: F401


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [*ZERO, OFFLOADED], ids=str)
@pytest.mark.parametrize("optimizer", [MOMENTUM, {"kind": "adamw", "lr": 0.01}], ids=["sgd", "adamw"])
def test_deepspeed_learns_what_one_process_does(
    strategy: Any, optimizer: Any, zero: None, tmp_path: Path
) -> None:
    """50 steps and an unequal last batch; parts of a batch, short gradients, and an early stop."""
    options = {"patience": 1, "metric": choose("metric", "auroc")} if strategy["stage"] > 1 else {}
    what = lesson(
        strategy=choose("strategy", strategy), optimizer=choose("optimizer", optimizer),
        accumulate=3, clip_norm=0.05, **options,
    )  # fmt: skip
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path), 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("stage", [2, 3])
@pytest.mark.parametrize(("before", "after"), [(2, 2), (2, 3), (2, 1), (1, 2)])
def test_a_killed_training_by_deepspeed_goes_on(
    before: int, after: int, stage: int, zero: None, tmp_path: Path
) -> None:
    what = lesson(
        save_every=0.0, strategy=choose("strategy", ZERO[stage - 1]), patience=9, rows=800,
        optimizer=choose("optimizer", MOMENTUM if stage == 2 else {"kind": "adamw", "lr": 0.01}),
    )  # fmt: skip
    goes_on(what, before, after, tmp_path, 1e-4)


@pytest.mark.slow
def test_deepspeed_waits_for_all_weights_that_it_gathers(
    zero: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on its way comes when it is waited for and no sooner, as it may on a busy machine."""
    from deepspeed import comm

    gather = comm.all_gather_into_tensor

    def late(into: torch.Tensor, part: torch.Tensor, group: Any = None, async_op: bool = False) -> Any:
        if not async_op:
            return gather(into, part, group=group)
        into.fill_(torch.nan)
        return SimpleNamespace(wait=lambda: gather(into, part, group=group))

    monkeypatch.setattr(comm, "all_gather_into_tensor", late)
    what = lesson(rows=320, strategy=choose("strategy", ZERO[2]), optimizer=choose("optimizer", MOMENTUM))
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path), 1e-4)


@pytest.mark.slow
def test_deepspeed_gathers_what_is_computed_again(zero: None, tmp_path: Path) -> None:
    still = {"attention_dropout": 0.0, "hidden_dropout": 0.0}
    model = {"kind": "ft_transformer", "width": 8, "heads": 2, "blocks": 1, "hidden": 8, **still}
    what = lesson(
        rows=320, model=choose("model", model), recompute=True, strategy=choose("strategy", ZERO[2]),
        optimizer=choose("optimizer", MOMENTUM),
    )  # fmt: skip
    for found in shared(what, tmp_path / "two"):
        close(found, alone(what, tmp_path), 1e-4)


def as_told(found: Trained) -> Any:
    state = {name: value.numpy() for name, value in found.module.state_dict().items()}
    return state, found.history, found.best_epoch


@pytest.mark.parametrize("rows", range(8))
@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_every_row_is_taken_once(rows: int, ranks: int) -> None:
    taken = [place for rank in range(ranks) for place in range(rows)[Group(rank, ranks).share(rows)]]
    assert taken == list(range(rows))


def test_devices_that_are_not_here_are_told_before_anybody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Group(0, 2, tmp_path / "store")
    for here, words in ((0, "finds no CUDA device here"), (1, "asks for 2 CUDA devices, and torch finds 1")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda here=here: here > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda here=here: here)
        with pytest.raises(MissingError, match=words), group.together("cuda"):
            raise AssertionError


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_loss_that_is_no_number_names_the_rows_at_which_that_began(ranks: int, tmp_path: Path) -> None:
    train = planted("number", ROWS, 1)
    target = np.array(train.target)
    target[[700, 1200]] = np.inf
    what = lesson(
        "number", train=dataclasses.replace(train, target=target), target=target_of("number", train),
        names=lambda rows: [f"id '{row}'" for row in rows],
    )  # fmt: skip
    words = r"in epoch 1 at step \d+: it began with 1 of the 32 rows of a batch: id '(700|1200)'"
    if ranks == 1:
        with pytest.raises(StepError, match=words):
            alone(what, tmp_path)
    else:
        for found in shared(what, tmp_path / "two"):
            assert re.search(words, found), found


def test_a_step_that_is_too_long_is_told_of_the_whole_batch(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"for all 32 rows of a batch \(row \d+, .* and 27 more\)") as told:
        alone(lesson("number", optimizer=choose("optimizer", {"kind": "sgd", "lr": 100.0})), tmp_path)
    assert "smaller training.optimizer.lr" in str(told.value.fix)
