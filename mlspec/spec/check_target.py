"""Whether target, threshold, metrics and gates fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.near import near
from mlspec.errors import Fault
from mlspec.sdk.gate import BASELINE, Gate
from mlspec.sdk.metric import Metric
from mlspec.spec.evaluation import default_metrics
from mlspec.spec.gates_of import gates_of
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
    loss = spec.training.loss
    usual = default_metrics(kind, loss)
    measured = evaluation.metrics if evaluation.metrics is not None else usual
    seen: set[str] = set()
    for index, metric in enumerate(evaluation.metrics or ()):
        path = ("evaluation", "metrics", index)
        if kind not in metric.targets:
            yield composed.fault("MS0305", _misfit(metric, kind), path, fix=_fitting(kind))
        if metric.kind == "pinball" and usual[0].kind == "pinball" and metric != usual[0]:
            q, learnt = metric.model_dump()["q"], usual[0].model_dump()["q"]
            what = f"the metric 'pinball' judges the quantile {q:g}, and the loss teaches {learnt:g}"
            yield composed.fault("MS0305", what, path, fix=f"use {{kind: pinball, q: {learnt:g}}}")
        if metric.kind in seen:
            what = f"the metric '{metric.kind}' stands here a second time"
            yield composed.fault("MS0305", what, path, fix="remove one of the two")
        seen.add(metric.kind)
    names = [metric.kind for metric in measured]
    for place, gate in gates_of(spec):
        if gate.metric not in names:
            close = near(gate.metric, names)
            fix = f"did you mean '{close}'?" if close else f"add '{gate.metric}' to evaluation.metrics"
            listed = ", ".join(names)
            what = f"the gate looks at '{gate.metric}', which is not among evaluation.metrics ({listed})"
            yield composed.fault("MS0306", what, (*place, "metric"), fix=fix)
        if gate.export not in spec.exports:
            what = f"no export is called '{gate.export}'"
            yield composed.fault("MS0309", what, (*place, "export"), fix=f"one of {', '.join(spec.exports)}")
        if place[0] == "exports":
            yield from _check_home(place, spec, composed)
        yield from _check_gate(gate, place, spec, composed)


def _check_home(place: KeyPath, spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give a gate of one export that names another."""
    name, index = str(place[1]), int(place[3])
    said = spec.exports[name].gates[index]
    if "export" in said.model_fields_set and said.export != name:
        what = f"a gate under 'exports.{name}' is about '{name}', and this one names '{said.export}'"
        fix = f"take export out, or move the gate to exports.{said.export}.gates or evaluation.gates"
        yield composed.fault("MS0309", what, (*place, "export"), key=True, fix=fix)


def _check_gate(gate: Gate, place: KeyPath, spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give slices that are not told, others that are not there, and leave to get better."""
    against, others = gate.held_against(), [BASELINE, *(name for name in spec.exports if name != gate.export)]
    if against is not None and against not in others:
        what = f"the gate on '{gate.export}' cannot be held against '{against}'"
        close = near(against, others)
        fix = f"did you mean '{close}'?" if close else f"one of {', '.join(others)}"
        yield composed.fault("MS0321", what, (*place, "against"), fix=fix)
    names, told = gate.slice_names(), spec.evaluation.slices
    if names and not told:
        what = "the gate looks at slices, and evaluation.slices names no column"
        yield composed.fault("MS0321", what, (*place, "slices"), fix="add evaluation.slices: [COLUMN]")
    for index, name in enumerate(() if names == "all" or not told else names):
        if name not in told and name.partition("=")[0] not in told:
            what = f"the gate looks at the slice '{name}', and evaluation.slices has {', '.join(told)}"
            close = near(name.partition("=")[0], told)
            fix = f"did you mean '{close}'?" if close else "add its column to evaluation.slices"
            yield composed.fault("MS0321", what, (*place, "slices", index), fix=fix)
    better = _better(gate.metric)
    wrong = None if better is None else gate.wrong_way(better)
    if wrong is not None:
        right, word = ("may_drop", "more") if better == "higher" else ("may_rise", "less")
        what = f"of '{gate.metric}' {word} is better, so '{wrong}' stops nothing"
        yield composed.fault("MS0321", what, (*place, wrong), key=True, fix=f"write {right}")


def _better(metric: str) -> Literal["higher", "lower"] | None:
    from mlspec import registry

    found = registry.find("metric", metric) if metric in registry.kinds("metric") else None
    return getattr(found, "better", None)


def _misfit(metric: Metric, kind: str) -> str:
    return (
        f"the metric '{metric.kind}' is for {' and '.join(metric.targets)} targets, and this one is '{kind}'"
    )


def _fitting(kind: str) -> str:
    from mlspec import registry

    names = [name for name in registry.kinds("metric") if kind in registry.find("metric", name).targets]
    return f"one of {', '.join(names)}"
