"""What TensorBoard is shown, read back with TensorBoard's own reader."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mlspec.engine.training import board as room
from mlspec.engine.training.board import opened_board
from mlspec.sdk.contract import ModelInputs
from mlspec.sdk.model import TorchModel
from mlspec.sdk.trial import Trial
from tests.engine.training.test_fit import STEPS, Failing, bits, choose, lesson, run

LABELS = {"p": {2: "red\tand\nblue", 3: "gr\u00fcn"}, "r": {2: " "}}


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"histograms": 0, "scalars": 0, "tensors": 0})
    found.Reload()
    return found


def only(logs: Path) -> Path:
    (folder,) = (path for path in logs.iterdir() if path.is_dir())
    return folder


def test_scalars_histograms_graph_and_text_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PACE", 0.0)
    trained = run(lesson(told={"spec": "model:\n  kind: mlp"}), tmp_path, logs=tmp_path / "logs")
    folder = only(tmp_path / "logs")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-key", folder.name)
    found = events(folder)
    assert [event.step for event in found.Scalars("train/loss")] == [STEPS, 2 * STEPS, 3 * STEPS]
    told = [event.value for event in found.Scalars("val/loss")]
    assert told == pytest.approx([line["val_loss"] for line in trained.history])
    # A chunk is 16 of an epoch's 75 batches.
    assert [event.step for event in found.Scalars("steps/loss")][:6] == [16, 32, 48, 64, 75, 91]
    assert all(event.value > 0 for event in found.Scalars("steps/rows_per_second"))
    names = dict(trained.module.named_parameters())
    for name, weight in names.items():
        for room_ in ("weights", "gradients"):
            drawn = found.Histograms(f"{room_}/{name}")
            assert [event.step for event in drawn] == [STEPS, 2 * STEPS, 3 * STEPS]
            assert sum(drawn[-1].histogram_value.bucket) == weight.numel()
    last = found.Histograms("weights/layers.0.weight")[-1].histogram_value
    weight = names["layers.0.weight"].detach()
    assert (last.min, last.max) == pytest.approx((weight.min().item(), weight.max().item()))
    assert last.sum_squares == pytest.approx(weight.square().sum().item(), rel=1e-4)
    assert found.Tensors("spec/text_summary")[0].tensor_proto.string_val[0] == b"    model:\n      kind: mlp"
    operations = {node.op for node in found.Graph().node}
    assert {"aten::linear", "aten::embedding"} <= operations


def test_vectors_come_with_the_names_of_their_values(tmp_path: Path) -> None:
    what = lesson(labels=lambda: LABELS)
    trained = run(what, tmp_path, logs=tmp_path / "logs")
    folder = only(tmp_path / "logs")
    assert set(re.findall(r'tensor_name: "(\w+):', (folder / "projector_config.pbtxt").read_text())) == {
        "p", "q", "r",
    }  # fmt: skip
    (lines,) = folder.glob("*/p/metadata.tsv")
    head, *rows = csv.reader(lines.open(encoding="utf-8"), delimiter="\t")
    counts = np.bincount(what.train.codes[:, 0], minlength=6)
    names = ["<unknown>", "<null>", "red and blue", "gr\u00fcn", "4", "5"]
    assert head == ["value", "training rows"]
    assert rows == [[name, str(count)] for name, count in zip(names, counts, strict=True)]
    assert "<blank>" in next(folder.glob("*/r/metadata.tsv")).read_text()
    vectors = np.loadtxt(next(folder.glob("*/p/tensors.tsv")), delimiter="\t")
    tables = trained.module.get_submodule("tables")
    expected = next(part.vectors()[0] for part in tables.children() if 0 in part.vectors())
    np.testing.assert_allclose(vectors, expected.detach().numpy(), rtol=1e-5)


def test_seeing_changes_no_result(tmp_path: Path) -> None:
    plain = run(lesson(), tmp_path / "plain")
    seen = run(lesson(), tmp_path / "seen", logs=tmp_path / "logs")
    assert bits(seen) == bits(plain)
    assert seen.history == plain.history


def test_a_training_that_goes_on_writes_where_it_wrote_before(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with pytest.raises(RuntimeError, match="down"):
        run(lesson(optimizer=Failing(at=STEPS + 40), save_every=0.0), tmp_path, logs=logs)
    run(lesson(), tmp_path, logs=logs)
    found = events(only(logs))
    assert [event.step for event in found.Scalars("val/loss")] == [STEPS, 2 * STEPS, 3 * STEPS]


def test_each_training_has_a_folder_of_its_own(tmp_path: Path) -> None:
    for key in ("one", "two", ""):
        with opened_board(tmp_path, key, None) as board:
            board.scalar("x", 1.0, 1)
    names = sorted(path.name.rpartition("T")[2][8:] for path in tmp_path.iterdir())
    assert names == ["", "-one", "-two"]


def test_histograms_take_no_more_than_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FREE", 0.0)
    monkeypatch.setattr(room, "SHARE", 0.0)
    run(lesson(), tmp_path, logs=tmp_path / "logs")
    drawn = events(only(tmp_path / "logs")).Histograms("weights/layers.0.weight")
    assert [event.step for event in drawn] == [STEPS]


def test_trials_of_a_sweep_show_scalars_alone(tmp_path: Path) -> None:
    trial = Trial(choose("metric", "auroc"), lambda epoch, value: None, lambda value, epochs: None)
    run(lesson(trial=trial, told={"spec": "x"}), tmp_path, logs=tmp_path / "logs")
    found = events(only(tmp_path / "logs"))
    assert found.Tags()["histograms"] == [] and found.Tags()["tensors"] == []
    assert not found.Tags()["graph"] and "train/loss" in found.Tags()["scalars"]


class Own(TorchModel):
    """A user's own module: torch's tables, and a question that no tracer answers."""

    def module(self, inputs: ModelInputs, target: Any) -> torch.nn.Module:
        class Module(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.tables = torch.nn.ModuleList(torch.nn.Embedding(size, 3) for size in inputs.sizes)
                self.last = torch.nn.Linear(inputs.numbers + 3 * len(inputs.sizes), target.width)
                self.register_parameter("empty", torch.nn.Parameter(torch.zeros(0)))

            def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
                if torch.jit.is_tracing():
                    raise ValueError("not me")
                parts = [table(codes[:, place]) for place, table in enumerate(self.tables)]
                found: torch.Tensor = self.last(torch.cat([numbers, *parts], 1))
                return found

        return Module()


def test_a_module_that_cannot_be_traced_is_trained_and_told_of(tmp_path: Path) -> None:
    what = dataclasses.replace(lesson(), model=Own(kind="own"))
    run(what, tmp_path, logs=tmp_path / "logs")
    folder = only(tmp_path / "logs")
    (told,) = events(folder).Tensors("graph/text_summary")
    assert b"ValueError: not me" in told.tensor_proto.string_val[0]
    assert len(list(folder.glob("*/*/metadata.tsv"))) == 3
