"""A module that says nothing of ONNX is written by torch's exporter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.model import TorchModel
from tests.lessons import exported, parameters, scores, trained
from tests.planted import INPUTS, hostile, planted, shards, target_of


class Crossing(torch.nn.Module):
    """Attention over columns, a normalisation and a shortcut: more than rows of products."""

    def __init__(self, inputs: ModelInputs, width: int) -> None:
        super().__init__()
        self.tables = torch.nn.ModuleList(torch.nn.Embedding(size, 8) for size in inputs.sizes)
        self.numbers = torch.nn.Linear(inputs.numbers, 8)
        self.mix = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.last = torch.nn.Linear(8, width)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        columns = [
            self.numbers(numbers),
            *(table(codes[:, place]) for place, table in enumerate(self.tables)),
        ]
        mixed: torch.Tensor = self.last(self.mix(torch.stack(columns, 1)).mean(1))
        return mixed


class Branching(torch.nn.Module):
    """Looks at the data to decide what to compute, which no exporter can write."""

    def __init__(self, inputs: ModelInputs) -> None:
        super().__init__()
        self.last = torch.nn.Linear(inputs.numbers, 1)

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(numbers)
        return found if found.sum() > 0 else -found


class Attention(TorchModel):
    """A model of a workspace."""

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        return Crossing(inputs, target.width)


class Stubborn(TorchModel):
    """A model that cannot be written."""

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        return Branching(inputs)


@pytest.mark.slow
def test_its_nodes_answer_as_the_module_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mlspec.sdk.slot.Slot.choose", _choose(Attention()))
    rows = planted("category", 600, 1)
    target = target_of("category", rows)
    nasty = hostile(INPUTS, 300)
    prepared = shards(
        tmp_path / "prepare", INPUTS, target, train=rows, val=planted("category", 100, 2), parity=nasty
    )
    output = trained(parameters(Attention(), {"epochs": 1}), prepared, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    session = exported(Attention(), output, INPUTS, target)
    assert sorted(tmp_path.rglob("*")) == before
    assert capfd.readouterr() == ("", "")
    expected = np.load(output / "expected.npy")
    assert np.abs(scores(session, nasty) - expected).max() < 2e-5
    for count in (0, 1, 2):
        part = Encoded(nasty.numbers[:count], nasty.codes[:count], nasty.target)
        assert np.abs(scores(session, part) - expected[:count]).max(initial=0) < 2e-5


def test_what_torch_cannot_write_is_told(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    target = target_of("binary")
    save_file(Stubborn().module(INPUTS, target).state_dict(), tmp_path / "weights.safetensors")
    builder = Builder("model")
    builder.input(NUMBERS, "float32", ("rows", 4))
    builder.input(CODES, "int64", ("rows", 3))
    with pytest.raises(StepError, match="torch cannot write the module 'Branching' as ONNX") as caught:
        Stubborn().append(builder, tmp_path, INPUTS, target)
    assert "append" in (caught.value.fix or "")


def _choose(model: TorchModel) -> object:
    from mlspec.sdk.slot import Slot

    own = Slot.choose

    def choose(slot: Slot, value: object) -> object:
        return model if slot.name == "model" else own(slot, value)

    return choose
