"""Whether model, accelerator, strategy and launcher fit each other."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.model import TorchModel
from mlspec.spec.check_strategy import check_strategy
from mlspec.spec.spec import Spec
from mlspec.spec.unused import unused

LOCAL = "set hardware.launcher: local"


def check_hardware(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give devices and machines beyond what model, strategy, launcher and batch can use."""
    hardware = spec.hardware
    devices = hardware.devices * hardware.nodes
    key = "nodes" if hardware.devices == 1 else "devices"
    one = "set hardware.devices: 1 and hardware.nodes: 1"
    if devices > 1 and not spec.model.in_epochs():
        what = (
            f"the model '{spec.model.kind}' is fitted in one process, and hardware asks for {devices} devices"
        )
        # What would be told next, once that is mended.
        fix = f"{one}, and {LOCAL.removeprefix('set ')}" if hardware.launcher.kind != "local" else one
        yield composed.fault("MS0310", what, ("hardware", key), fix=fix)
        return
    if not spec.model.in_epochs():
        yield from _check_fitted(spec, composed)
        return
    yield from check_strategy(spec, composed)
    if not hardware.strategy.one_process:
        yield from _check_start(spec, composed)
    most = type(hardware.strategy).max_devices
    if most is not None and devices > most:
        what = (
            f"the strategy '{hardware.strategy.kind}' uses {_count(most, 'device')}, and hardware "
            f"asks for {devices}"
        )
        fix = (
            f"use hardware.strategy: {{kind: ddp}}, or {one}"
            if most == 1
            else f"set hardware.devices: {most}"
        )
        yield composed.fault("MS0310", what, ("hardware", key), fix=fix)
    if not hardware.strategy.one_process:
        yield from _check_launcher(spec, composed, key)
    alike = hardware.strategy.alike(devices)
    if alike > 1:
        yield from _check_cut(spec, composed, devices, alike)
    # From here on: those that share a batch out.
    devices = max(1, devices // alike)
    apart = devices > 1 and not hardware.strategy.one_process
    if apart and isinstance(spec.model, TorchModel) and type(spec.model).whole_batch:
        word = "devices" if alike == 1 else "sets of devices"
        what = f"the model '{spec.model.kind}' looks at whole batches, and {devices} {word} have a part each"
        one = one if alike == 1 else "leave hardware.strategy.tensor out"
        yield composed.fault("MS0310", what, ("hardware", key), fix=f"{one}, or take another model")
    size = spec.training.batch_size
    if size == "auto":
        if hardware.accelerator == "tpu" and "batch_size" in spec.model.obeys():
            what = "'training.batch_size: auto' looks at a device's memory, and a TPU's is not known here"
            yield composed.fault("MS0310", what, ("training", "batch_size"), fix="give a number")
        return
    if devices > 1 and hardware.strategy.one_process and size % devices:
        near = max(1, size // devices) * devices
        what = f"{devices} devices of one process cannot have equal parts of a batch of {size} rows"
        yield composed.fault(
            "MS0310", what, ("hardware", key), fix=f"set training.batch_size: {near}, or use other devices"
        )
    elif devices > 1 and size < devices:
        what = f"a batch of {size} rows leaves some of {devices} devices without a row in every step"
        yield composed.fault(
            "MS0310", what, ("hardware", key), fix=f"set training.batch_size: {devices} or more"
        )


def _check_fitted(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give keys that ask for something in which a model that is fitted at once has no part.

    What a preset says is for all models, as in `training`.
    """
    hardware, model = spec.hardware, spec.model.kind
    asks = {
        "accelerator": hardware.accelerator not in ("auto", "cpu"),
        "precision": hardware.precision != "fp32",
        "strategy": hardware.strategy.kind != "single",
    }
    keys = [key for key, asked in asks.items() if asked]
    yield from unused(model, "hardware", keys, f"; '{model}' is fitted at once, on the CPU", composed)
    launcher = hardware.launcher
    if launcher.elsewhere:
        what = f"the model '{model}' is fitted where the run is, and never by '{launcher.kind}'"
    elif launcher.kind != "local":
        what = f"the launcher '{launcher.kind}' starts several processes, and hardware asks for one"
    else:
        return
    yield composed.fault("MS0314", what, ("hardware", "launcher"), fix=LOCAL)


def _check_cut(spec: Spec, composed: Composed, devices: int, alike: int) -> Iterator[Fault]:
    """Give a model that cannot be cut into as many parts, and devices that are no whole number of sets."""
    assert isinstance(spec.model, TorchModel)
    strategy, widths = spec.hardware.strategy.kind, spec.model.cut_widths()
    if not widths:
        what = f"the strategy '{strategy}' cuts layers, and this '{spec.model.kind}' has none that may be cut"
        yield composed.fault(
            "MS0314", what, ("hardware", "strategy"), fix="use hardware.strategy: fsdp, which parts any model"
        )
        return
    key = "nodes" if spec.hardware.devices == 1 else "devices"
    if devices % alike:
        what = f"{devices} devices are no whole number of sets of {alike}, over which layers are cut"
        near = max(1, devices // alike) * alike
        yield composed.fault("MS0310", what, ("hardware", key), fix=f"use {near} devices, or {near + alike}")
    bad = next((name for name, width in widths.items() if width % alike), None)
    if bad is not None:
        fits = max(count for count in range(1, alike) if not any(width % count for width in widths.values()))
        what = f"{alike} devices cannot cut 'model.{bad}', which is {widths[bad]}, into equal parts"
        fix = f"cut over {fits} devices" if fits > 1 else "use hardware.strategy: fsdp"
        yield composed.fault(
            "MS0310", what, ("hardware", key), fix=f"{fix}, or take widths that {alike} divides"
        )


def _check_start(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give a launcher that has nothing to start, or does not know on what."""
    hardware, launcher = spec.hardware, spec.hardware.launcher
    alone = hardware.devices * hardware.nodes == 1 and not launcher.elsewhere
    if alone and launcher.kind != "local":
        what = f"the launcher '{launcher.kind}' starts several processes, and hardware asks for one"
        yield composed.fault("MS0314", what, ("hardware", "launcher"), fix=LOCAL)
    for problem in launcher.problems(hardware.accelerator):
        place = ("hardware", "launcher", problem.key) if problem.key else ("hardware", "accelerator")
        yield composed.fault("MS0314", problem.what, place, fix=problem.fix)


def _check_launcher(spec: Spec, composed: Composed, key: str) -> Iterator[Fault]:
    hardware = spec.hardware
    launcher, devices = hardware.launcher, hardware.devices * hardware.nodes
    most = type(launcher).max_processes
    if most is not None and devices > most:
        what = (
            f"the launcher '{launcher.kind}' starts {_count(most, 'process')}, and hardware asks for "
            f"{devices}"
        )
        yield composed.fault(
            "MS0310", what, ("hardware", key), fix=f"set hardware.devices: {most} and hardware.nodes: 1"
        )
    most = type(launcher).max_nodes
    if most is not None and hardware.nodes > most:
        what = (
            f"the launcher '{launcher.kind}' uses {_count(most, 'machine')}, and hardware asks for "
            f"{hardware.nodes}"
        )
        yield composed.fault("MS0310", what, ("hardware", "nodes"), fix=f"set hardware.nodes: {most}")


def _count(number: int, word: str) -> str:
    return f"one {word}" if number == 1 else f"at most {number} {word}{'es' if word.endswith('s') else 's'}"
