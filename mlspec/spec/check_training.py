"""Whether model, training and hardware fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlspec import registry
from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.contract import TargetKind
from mlspec.spec.spec import Spec
from mlspec.spec.unused import unused


def check_training(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give keys that the model does not obey, and stops that cannot be seen."""
    training, uses = spec.training, spec.model.obeys()
    why = f"; '{spec.model.kind}' uses {', '.join(sorted(uses)) or 'nothing'} of training"
    yield from unused(spec.model.kind, "training", training.model_fields_set - uses, why, composed)
    kind = spec.data.target.kind
    if kind not in spec.model.targets():
        suits = " and ".join(spec.model.targets())
        what = f"this '{spec.model.kind}' is for {suits} targets, and this one is '{kind}'"
        yield composed.fault("MS0304", what, ("model", "solver"), key=True, fix="remove solver")
    yield from _check_loss(spec, composed)
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
    if training.sampling is not None and "sampling" in uses:
        if kind == "number":
            what = "'training.sampling' is for targets with classes, and this one is 'number'"
            yield composed.fault("MS0304", what, ("training", "sampling"), key=True, fix="remove it")
        elif training.class_weights == "balanced":
            what = "'training.sampling' and 'training.class_weights' would both balance the classes"
            fix = "leave one out: balanced twice, rare classes rule"
            yield composed.fault("MS0304", what, ("training", "sampling"), key=True, fix=fix)
    size = training.batch_size
    if size != "auto" and training.accumulate > size and "accumulate" in uses:
        what = f"a batch of {size} rows cannot be scored in {training.accumulate} parts"
        fix = f"set training.accumulate: {size} or less"
        yield composed.fault("MS0304", what, ("training", "accumulate"), fix=fix)
    if training.calibration is not None and "calibration" in uses:
        way, suits = training.calibration.kind, " and ".join(training.calibration.targets)
        if kind not in training.calibration.targets:
            what = f"the calibration '{way}' is for {suits} targets, and this one is '{kind}'"
            fix = "use temperature" if kind == "category" else "remove it"
            yield composed.fault("MS0304", what, ("training", "calibration"), key=True, fix=fix)
        elif not spec.data.split.has_val():
            what = "calibration looks at the val split, and data.split leaves none"
            fix = "give val a share in data.split"
            yield composed.fault("MS0307", what, ("training", "calibration"), key=True, fix=fix)
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


def _check_loss(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give a loss of another kind of target, or one that the model cannot make small."""
    loss, kind, model = spec.training.loss, spec.data.target.kind, type(spec.model)
    if loss is None or "loss" not in spec.model.obeys():
        return
    able = [name for name in sorted(model.losses or registry.kinds("loss")) if _suits(name, kind)]
    if kind not in loss.targets:
        what = f"the loss '{loss.kind}' is for {' and '.join(loss.targets)} targets, and this one is '{kind}'"
    elif loss.kind not in able:
        what = f"the model '{spec.model.kind}' cannot make the loss '{loss.kind}' small"
    else:
        return
    yield composed.fault("MS0304", what, ("training", "loss"), key=True, fix=f"one of {', '.join(able)}")


def _suits(loss: str, kind: TargetKind) -> bool:
    return kind in registry.find("loss", loss).targets
