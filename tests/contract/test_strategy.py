"""What every strategy and launcher must do."""

from __future__ import annotations

import pytest
import pytorch_lightning

from mlspec import registry
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


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lightning_takes_it(strategy: Strategy) -> None:
    trainer = pytorch_lightning.Trainer(
        accelerator="cpu", devices=1, strategy=strategy.lightning(), logger=False, enable_checkpointing=False
    )
    assert trainer.world_size == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_allows_at_least_one_device(strategy: Strategy) -> None:
    assert strategy.max_devices is None or strategy.max_devices >= 1


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_allows_at_least_one_process(launcher: Launcher) -> None:
    assert launcher.max_processes is None or launcher.max_processes >= 1
