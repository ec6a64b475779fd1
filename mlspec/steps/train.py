"""The step `train`: encoded rows to a trained model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlspec.engine.files import write_bytes, write_json
from mlspec.engine.provenance import FILE, made_by
from mlspec.engine.training.apart import apart
from mlspec.engine.training.calibrated import calibrated
from mlspec.engine.training.group import Group
from mlspec.engine.training.learned import Learned
from mlspec.engine.training.prepared import Prepared, prepared
from mlspec.engine.training.ranked import ranked
from mlspec.engine.training.threads import threads
from mlspec.engine.training.weights import class_weights
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.launcher import Launcher, Work
from mlspec.sdk.model import FitOptions, FittedModel, Model, TorchModel
from mlspec.sdk.slot import Slot
from mlspec.sdk.strategy import Accelerator
from mlspec.spec.hardware import Hardware
from mlspec.spec.training import Training
from mlspec.steps._found import settled
from mlspec.steps._lesson import lesson_of
from mlspec.steps._on_what import accelerator_of, used

if TYPE_CHECKING:
    import torch


def train(
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Path],
    output: Path,
    context: Context,
    *,
    group: Group | None = None,
) -> None:
    """Train a model and write its weights, its history and its own answers.

    On several devices the launcher starts a process a device, and each comes here again with its `group`.

    What `accelerator: auto` became is told in the logs, in `hardware.json`: it is of this machine.

    Args:
        parameters: `seed`, `model`, `training` and `data.target.threshold`; `hardware`, where the model is
            trained in epochs; `found`, the file that tells what the training leaves to `auto`, where it does.
        inputs: `prepare`.
        output: An empty folder.
        context: Its scratch folder keeps the checkpoint of a training that was killed.
        group: This process's place among those that train together; only rank 0 writes.

    Raises:
        StepError: the data cannot teach this model, or the loss left the finite numbers.
        MissingError: the device that the hardware section names is not here.
    """
    parameters = settled(parameters, context)
    model = Slot("model").choose(freeze(parameters["model"]))
    assert isinstance(model, Model)
    hardware = _hardware(parameters)
    _check_devices(model, hardware)
    launcher = Slot("launcher").choose(freeze(context.launcher))
    assert isinstance(launcher, Launcher)
    processes = 1 if hardware.strategy.one_process else hardware.devices * hardware.nodes
    if group is None and isinstance(model, TorchModel) and (processes > 1 or launcher.elsewhere):
        launcher.start(Work(parameters, inputs, output, context, processes))
        _forget(context)
        return
    group = group or Group()
    data = prepared(inputs["prepare"])
    threshold = parameters["data"]["target"]["threshold"]
    if threshold == "max_f1" and data.target.kind == "binary" and data.val is None:
        raise StepError(
            "the threshold 'max_f1' is chosen on the val split, and no row is in it",
            where="data.target.threshold",
            fix="set data.split.val above 0, or give a number",
        )
    learned = _learn(model, parameters, data, context, group)
    if group.rank:
        return
    calibration, found = Training.revive(parameters["training"]).calibration, None
    if calibration is not None:
        learned, found = calibrated(learned, data, calibration, parameters["seed"], context.scratch)
        before, after = (found[when]["calibration_error"] for when in ("before", "after"))
        context.say(f"calibration by {calibration.kind}: error on val {before:.4f} before, {after:.4f} after")
    if context.trial is not None:
        value = ranked(learned, data, threshold, context.trial.metric, context.scratch)
        context.trial.ended(value, len(learned.history))
        return
    more = {
        name: value for name, value in (("calibration", found), ("found", parameters.get("found"))) if value
    }
    more["threshold"] = learned.threshold(data, threshold, context.scratch)
    _write(learned, data, more, output)
    write_json(output / FILE, made_by(parameters, context.workspace))
    if group.ranks == 1:
        _forget(context)


def _forget(context: Context) -> None:
    """Remove checkpoints that have done their work."""
    for file in context.scratch.glob("training*.safetensors"):
        file.unlink()


def _learn(
    model: Model, parameters: Mapping[str, Any], data: Prepared, context: Context, group: Group
) -> Learned:
    training = Training.revive(parameters["training"])
    hardware = _hardware(parameters)
    accelerator = accelerator_of(hardware, group) if model.in_epochs() else "cpu"
    if context.logs is not None:
        for stale in ("profile.json", "trace.json.gz"):
            (context.logs / stale).unlink(missing_ok=True)
        write_json(context.logs / "hardware.json", used(accelerator, group))
    factors = class_weights(training.class_weights, data.target)
    _check_learnt(model, training, data)
    if isinstance(model, FittedModel):
        return _fit(
            model,
            FitOptions(parameters["seed"], factors, threads(), training.loss, context.progress),
            data,
            context,
        )
    if isinstance(model, TorchModel) and model.at_once():
        return _solve(model, factors, data, context)
    if isinstance(model, TorchModel):
        return _train(model, training, hardware, accelerator, parameters, data, context, group)
    raise StepError(f"the model '{model.kind}' is neither a TorchModel nor a FittedModel", where="model")


def _check_learnt(model: Model, training: Training, data: Prepared) -> None:
    """Refuse what `check_training` refuses, in plans that were written by hand."""
    if data.sums is not None and not (isinstance(model, TorchModel) and model.from_sums()):
        raise StepError(
            f"'{model.kind}' learns from rows, and 'prepare' left the training rows in the database",
            where="model",
            fix="run from the spec, so that 'prepare' moves them",
        )
    loss, kind = training.loss, data.target.kind
    if kind not in model.targets():
        raise StepError(f"this '{model.kind}' cannot learn a {kind} target", where="model")
    if loss is not None and (kind not in loss.targets or loss.kind not in (model.losses or {loss.kind})):
        raise StepError(
            f"'{model.kind}' cannot learn a {kind} target by the loss '{loss.kind}'", where="training.loss"
        )
    if training.sampling is not None and kind == "number":
        raise StepError("a number has no classes that could come equally often", where="training.sampling")


def _fit(model: FittedModel, options: FitOptions, data: Prepared, context: Context) -> Learned:
    context.progress(data.train.rows, None, "rows are fitted at once")
    if not data.train.rows:
        raise StepError(
            "no row is in the training split", where="data.split", fix="set data.split.train above 0"
        )
    fitted = apart(lambda: model.fit(data.train, data.val, data.inputs, data.target, options))
    history = tuple({"epoch": place + 1, **line} for place, line in enumerate(fitted.history))
    return Learned("fitted", ("model.onnx", fitted.onnx), fitted.scores, history, None)


def _solve(model: TorchModel, factors: tuple[float, ...] | None, data: Prepared, context: Context) -> Learned:
    from mlspec.engine.training.module import scores_of, weights_of

    rows = data.train.rows if data.sums is None else data.sums.rows
    context.progress(rows, None, "rows are fitted at once")
    module = apart(lambda: _solved(model, factors, data))
    weights = ("weights.safetensors", weights_of(module))
    return Learned("torch", weights, lambda rows: scores_of(module, rows, data.target), (), None)


def _solved(model: TorchModel, factors: tuple[float, ...] | None, data: Prepared) -> torch.nn.Module:
    from mlspec.engine.training.row_sums import row_sums

    if not model.from_sums():
        return model.solve(data.train, data.inputs, data.target, factors)
    sums = data.sums or row_sums(data.train, data.inputs, data.target)
    return model.solve_sums(sums, data.inputs, data.target)


def _train(
    model: TorchModel,
    training: Training,
    hardware: Hardware,
    accelerator: Accelerator,
    parameters: Mapping[str, Any],
    data: Prepared,
    context: Context,
    group: Group,
) -> Learned:
    from mlspec.engine.training.fit import fit
    from mlspec.engine.training.module import scores_of, weights_of

    lesson = dataclasses.replace(
        lesson_of(model, training, hardware, data, parameters["seed"], accelerator),
        trial=context.trial,
        save_every=context.checkpoint_every,
        told=_told(parameters, data, context),
    )
    with group.together(accelerator):
        trained = fit(lesson, context, data.key(parameters), group)
    weights = ("weights.safetensors", weights_of(trained.module))
    return Learned(
        "torch",
        weights,
        lambda rows: scores_of(trained.module, rows, data.target),
        trained.history,
        trained.best_epoch,
    )


def _told(parameters: Mapping[str, Any], data: Prepared, context: Context) -> dict[str, str]:
    """Return what TensorBoard shows as text: the plan's files where they lie here, else what is learnt."""
    names = {"spec": context.name} | ({"data": data.folder.parent.name} if data.folder else {})
    files = {title: context.workspace / "pipelines" / name / "plan.yaml" for title, name in names.items()}
    found = {title: file.read_text("utf-8") for title, file in files.items() if file.is_file()}
    return found or {"spec": json.dumps(parameters, indent=2, sort_keys=True)}


def _write(
    learned: Learned,
    data: Prepared,
    more: Mapping[str, Any],
    output: Path,
) -> None:
    write_bytes(output / learned.file[0], learned.file[1])
    model = {
        "family": learned.family,
        "best_epoch": learned.best_epoch,
        **more,
    }
    write_json(output / "model.json", model)
    write_json(output / "history.json", {"epochs": list(learned.history)})
    write_bytes(output / "history.csv", learned.table().encode())
    with open(output / "expected.npy", "wb") as file:
        np.lib.format.write_array(file, learned.scores(data.parity), version=(1, 0), allow_pickle=False)


def _hardware(parameters: Mapping[str, Any]) -> Hardware:
    return Hardware.revive(parameters.get("hardware", {}))


def _check_devices(model: Model, hardware: Hardware) -> None:
    most = hardware.strategy.max_devices
    wanted = hardware.devices * hardware.nodes
    if most is not None and wanted > most:
        raise StepError(
            f"the strategy '{hardware.strategy.kind}' uses {most} device, and hardware asks for {wanted}",
            where="hardware.devices",
            fix="use hardware.strategy: {kind: ddp}, or set hardware.devices: 1 and hardware.nodes: 1",
        )
    if wanted > 1 and not model.in_epochs():
        raise StepError(
            f"the model '{model.kind}' is fitted in one process, and hardware asks for {wanted} devices",
            where="hardware.devices",
            fix="set hardware.devices: 1 and hardware.nodes: 1",
        )
