"""Whether a strategy is for the accelerator, the number format and the machines that hardware asks for."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec import registry
from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.model import TorchModel
from mlspec.spec.spec import Spec


def check_strategy(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give what the strategy is not for, with what is."""
    hardware, strategy = spec.hardware, spec.hardware.strategy
    if not isinstance(spec.model, TorchModel):
        return
    # `auto` becomes one of the two that every strategy for processes knows.
    asked = {"cpu", "cuda"} if hardware.accelerator == "auto" else {hardware.accelerator}
    if not asked & set(strategy.accelerators):
        what = f"the strategy '{strategy.kind}' is not for hardware.accelerator: {hardware.accelerator}"
        fix, key = f"set hardware.accelerator: {' or '.join(strategy.accelerators)}", "strategy"
        if hardware.accelerator != "auto":
            able = [kind for kind in registry.kinds("strategy") if _takes(kind, hardware.accelerator)]
            fix, key = f"use hardware.strategy: {' or '.join(able)}, or {fix}", "accelerator"
        yield composed.fault("MS0314", what, ("hardware", key), fix=fix)
    if hardware.precision not in strategy.precisions:
        what = f"the strategy '{strategy.kind}' does not score in hardware.precision: {hardware.precision}"
        fix = f"set hardware.precision: {' or '.join(strategy.precisions)}"
        yield composed.fault("MS0314", what, ("hardware", "precision"), fix=fix)
    if strategy.elsewhere and hardware.devices * hardware.nodes == 1:
        moved = " and ".join(f"offload_{name}" for name in sorted(strategy.elsewhere))
        what = (
            f"the strategy '{strategy.kind}' takes part on several devices only, and {moved} is set for one"
        )
        fix = "use hardware.devices: 2 or more, or hardware.strategy: single"
        yield composed.fault("MS0314", what, ("hardware", "strategy"), fix=fix)
    if strategy.max_nodes is not None and hardware.nodes > strategy.max_nodes:
        what = f"the strategy '{strategy.kind}' uses one machine, and hardware asks for {hardware.nodes}"
        yield composed.fault("MS0310", what, ("hardware", "nodes"), fix="set hardware.nodes: 1")
    if strategy.one_process and hardware.launcher.kind != "local":
        what = (
            f"the launcher '{hardware.launcher.kind}' starts several processes, and the strategy "
            f"'{strategy.kind}' has all devices in one"
        )
        yield composed.fault(
            "MS0314",
            what,
            ("hardware", "launcher"),
            fix="set hardware.launcher: local, on the machine itself",
        )


def _takes(kind: str, accelerator: str) -> bool:
    return accelerator in registry.find("strategy", kind).accelerators
