"""Whether model, training and hardware fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.model import TorchModel
from mlspec.spec.spec import Spec


def check_training(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give keys that the model does not obey, and stops that cannot be seen."""
    training, uses = spec.training, type(spec.model).uses
    for key in sorted(training.model_fields_set - uses):
        origins = composed.origins(("training", key))
        if origins and origins[-1].preset is not None:
            continue
        what = f"the model '{spec.model.kind}' does not use 'training.{key}'"
        fix = f"remove it; '{spec.model.kind}' uses {', '.join(sorted(uses)) or 'nothing'} of training"
        yield composed.fault("MS0308", what, ("training", key), key=True, fix=fix)
    kind = spec.data.target.kind
    if kind == "number" and training.class_weights is not None and "class_weights" in uses:
        what = "'training.class_weights' is for targets with classes, and this one is 'number'"
        yield composed.fault("MS0304", what, ("training", "class_weights"), key=True, fix="remove it")
    elif isinstance(training.class_weights, Mapping) and kind == "binary" and len(training.class_weights) > 2:
        what = (
            f"'training.class_weights' names {len(training.class_weights)} classes, and a binary "
            f"target has two"
        )
        yield composed.fault(
            "MS0304", what, ("training", "class_weights"), fix="name the two classes of the target"
        )
    stopping = training.early_stopping
    if stopping is None or "early_stopping" not in uses:
        return
    if not spec.data.split.has_val():
        what = "early stopping looks at the val split, and data.split leaves none"
        yield composed.fault(
            "MS0307", what, ("training", "early_stopping"), key=True, fix="give val a share in data.split"
        )
    if stopping.metric is not None and kind not in stopping.metric.targets:
        what = (
            f"the metric '{stopping.metric.kind}' is for {' and '.join(stopping.metric.targets)} "
            f"targets, and this one is '{kind}'"
        )
        yield composed.fault(
            "MS0305",
            what,
            ("training", "early_stopping", "metric"),
            fix="choose a metric of evaluation.metrics",
        )


def check_hardware(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give devices and machines beyond what model, strategy, launcher and batch can use."""
    hardware = spec.hardware
    devices = hardware.devices * hardware.nodes
    key = "nodes" if hardware.devices == 1 else "devices"
    one = "set hardware.devices: 1 and hardware.nodes: 1"
    if devices > 1 and not isinstance(spec.model, TorchModel):
        what = (
            f"the model '{spec.model.kind}' is fitted in one process, and hardware asks for {devices} devices"
        )
        yield composed.fault("MS0310", what, ("hardware", key), fix=one)
        return
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
    yield from _check_launcher(spec, composed, key)
    if devices > 1 and isinstance(spec.model, TorchModel) and type(spec.model).whole_batch:
        what = f"the model '{spec.model.kind}' looks at whole batches, and {devices} devices have a part each"
        yield composed.fault("MS0310", what, ("hardware", key), fix=f"{one}, or take another model")
    size = spec.training.batch_size
    if devices > 1 and size < devices:
        what = f"a batch of {size} rows leaves some of {devices} devices without a row in every step"
        yield composed.fault(
            "MS0310", what, ("hardware", key), fix=f"set training.batch_size: {devices} or more"
        )


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
