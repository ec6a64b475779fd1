"""What every strategy and launcher must do."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytorch_lightning
import torch

from mlspec import registry
from mlspec.engine.training.parted import whole
from mlspec.sdk.launcher import Launcher
from mlspec.sdk.strategy import Strategy

STRATEGIES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("strategy")
    for place, example in enumerate(registry.find("strategy", kind).examples())
]
LAUNCHERS = [
    example for kind in registry.kinds("launcher") for example in registry.find("launcher", kind).examples()
]


class Pair(torch.nn.Sequential):
    """Two layers that may be cut."""

    def cut(self) -> dict[str, str]:
        return {"0": "outputs", "1": "inputs"}


HERE = [one for one in STRATEGIES if "cpu" in one.values[0].accelerators]


@pytest.mark.parametrize("strategy", HERE)
def test_lightning_takes_it(strategy: Strategy) -> None:
    trainer = pytorch_lightning.Trainer(
        accelerator="cpu", devices=1, strategy=strategy.lightning(), logger=False, enable_checkpointing=False
    )
    assert trainer.world_size == 1


SPREAD = [
    one for one in HERE if one.values[0].max_devices != 1 and type(one.values[0]).drive is Strategy.drive
]
"""Those that leave weights and optimiser to torch; what drives them itself is tested where it trains."""


@pytest.mark.parametrize("strategy", SPREAD)
def test_what_it_spreads_answers_as_the_module_and_learns(strategy: Strategy, tmp_path: Path) -> None:
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        module, rows = Pair(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)), torch.randn(5, 3)
        spread = strategy.spread(module, torch.device("cpu"))
        assert torch.equal(spread(rows), module(rows))
        spread(rows).sum().backward()
        found = whole({"bias": module[1].bias.grad})["bias"]
        assert torch.allclose(found, torch.tensor([5.0, 5.0]))
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_allows_at_least_one_device(strategy: Strategy) -> None:
    assert strategy.max_devices is None or strategy.max_devices >= 1


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_allows_at_least_one_process(launcher: Launcher) -> None:
    for most in (launcher.max_processes, launcher.max_nodes):
        assert most is None or most >= 1
