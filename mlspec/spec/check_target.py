"""Whether target, threshold, metrics and gates fit each other."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec.compose.composed import Composed
from mlspec.compose.near import near
from mlspec.errors import Fault
from mlspec.sdk.metric import Metric
from mlspec.spec.evaluation import default_metrics
from mlspec.spec.spec import Spec


def check_target(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give what the target's kind forbids."""
    target, said = spec.data.target, spec.data.target.model_fields_set
    at = ("data", "target")
    for word in ("positive", "threshold"):
        if target.kind != "binary" and word in said and getattr(target, word) is not None:
            what = f"'data.target.{word}' is for binary targets, and this one is '{target.kind}'"
            yield composed.fault(
                "MS0304", what, (*at, word), key=True, fix=f"take {word} out, or set kind: binary"
            )
    if target.kind == "number" and getattr(spec.data.split, "stratify", None):
        what = "'data.split.stratify' needs a target with classes, and this one is 'number'"
        yield composed.fault("MS0304", what, ("data", "split", "stratify"), key=True, fix="remove it")
    if spec.data.split.kind == "time" and spec.data.event_time is None:
        what, fix = "a time split needs 'data.event_time'", "add event_time: {column: ..., timezone: UTC}"
        yield composed.fault("MS0304", what, ("data", "split"), fix=fix)
    if target.kind == "binary" and target.threshold == "max_f1" and not spec.data.split.has_val():
        what = "'data.target.threshold: max_f1' is chosen on the val split, and data.split leaves none"
        yield composed.fault(
            "MS0307", what, (*at, "threshold"), fix="give val a share in data.split, or set a number"
        )


def check_metrics(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give metrics that do not fit the target, and gates on what is not measured."""
    kind, evaluation = spec.data.target.kind, spec.evaluation
    measured = evaluation.metrics if evaluation.metrics is not None else default_metrics(kind)
    seen: set[str] = set()
    for index, metric in enumerate(evaluation.metrics or ()):
        path = ("evaluation", "metrics", index)
        if kind not in metric.targets:
            yield composed.fault("MS0305", _misfit(metric, kind), path, fix=_fitting(kind))
        if metric.kind in seen:
            what = f"the metric '{metric.kind}' stands here a second time"
            yield composed.fault("MS0305", what, path, fix="remove one of the two")
        seen.add(metric.kind)
    names = [metric.kind for metric in measured]
    for index, gate in enumerate(evaluation.gates):
        place = ("evaluation", "gates", index)
        if gate.metric not in names:
            close = near(gate.metric, names)
            fix = f"did you mean '{close}'?" if close else f"add '{gate.metric}' to evaluation.metrics"
            listed = ", ".join(names)
            what = f"the gate looks at '{gate.metric}', which is not among evaluation.metrics ({listed})"
            yield composed.fault("MS0306", what, (*place, "metric"), fix=fix)
        if gate.export not in spec.exports:
            what = f"no export is called '{gate.export}'"
            yield composed.fault("MS0309", what, (*place, "export"), fix=f"one of {', '.join(spec.exports)}")


def _misfit(metric: Metric, kind: str) -> str:
    return (
        f"the metric '{metric.kind}' is for {' and '.join(metric.targets)} targets, and this one is '{kind}'"
    )


def _fitting(kind: str) -> str:
    from mlspec import registry

    names = [name for name in registry.kinds("metric") if kind in registry.find("metric", name).targets]
    return f"one of {', '.join(names)}"
