"""Every field of a spec is some step's parameter, unless it says that it has no effect: then it is none's."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from mlspec.plan.build import build_plan
from mlspec.sdk.fields import NoEffect
from mlspec.spec.spec import Spec

CONSTANT = {"apiVersion", "kind"}
"""They have one legal value, or choose the class whose other fields are changed here."""


def changes(value: BaseModel, path: str = "", silent: bool = False) -> Iterator[tuple[str, bool, BaseModel]]:
    """Yield each field's path, whether it has no effect, and the value with that one field changed."""
    for name, field in type(value).model_fields.items():
        if name in CONSTANT:
            continue
        here = f"{path}.{name}" if path else name
        mute = silent or any(isinstance(mark, NoEffect) for mark in field.metadata)
        for inner, quiet, changed in _changed(getattr(value, name), field.annotation, here, mute):
            yield inner, quiet, value.model_copy(update={name: changed})


def _changed(old: Any, annotation: Any, path: str, silent: bool) -> Iterator[tuple[str, bool, Any]]:
    if isinstance(old, BaseModel):
        yield from changes(old, path, silent)
    elif isinstance(old, Mapping):
        for key, item in old.items():
            for inner, quiet, changed in _changed(item, None, f"{path}.{key}", silent):
                yield inner, quiet, {**old, key: changed}
    elif isinstance(old, tuple) and old and isinstance(old[0], BaseModel):
        for place, item in enumerate(old):
            for inner, quiet, changed in _changed(item, None, f"{path}.{place}", silent):
                yield inner, quiet, (*old[:place], changed, *old[place + 1 :])
        yield f"{path}.*", silent, old[:-1]
    else:
        yield path, silent, _other(old, annotation)


def _other(old: Any, annotation: Any) -> Any:
    """Return a value of the same sort that differs."""
    literals = [value for part in _literals(annotation) for value in typing.get_args(part) if value != old]
    if literals:
        return literals[0]
    if isinstance(old, bool):
        return not old
    if isinstance(old, int | float):
        return old + 1
    if isinstance(old, tuple):
        return (*old, old[-1] if old else "other")
    if isinstance(old, str):
        return {",": ";", '"': "'", "5m": "7m", "1h": "2h"}.get(old, old + "x")
    return True if bool in typing.get_args(annotation) else "other"


def _literals(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        yield annotation
    for part in typing.get_args(annotation):
        yield from _literals(part) if not isinstance(part, str | int | float) else ()


ONE_VALUE = {
    "monitoring.drift.against",
    "exports.main.gates.0.export",
    "training.activation_checkpointing",
}
"""What has one legal value: literals of this version, the export of a gate that stands under it, and a key of
training that this spec's model does not use.
"""


def test_every_field_has_the_effect_that_it_declares(spec: Spec) -> None:
    before = build_plan(spec).steps
    mute, loud, wrong = [], [], []
    for path, silent, changed in changes(spec):
        if path in ONE_VALUE:
            continue
        if path == "deployments.online.export":  # names an export: both must change
            changed = changed.model_copy(update={"exports": {"mainx": spec.exports["main"], **spec.exports}})
        same = build_plan(changed).steps == before
        (mute if silent else loud).append(path)
        if same != silent:
            wrong.append(f"{path}: {'nothing to do' if same else 'work'}")
    assert wrong == []
    assert {
        "training.checkpoint.every",
        "training.profile",
        "monitoring.monitors.live.of",
        "deployments.online.port",
    } <= set(mute)
    assert {
        "seed",
        "data.max_rejects",
        "training.optimizer.lr",
        "data.features.age.clip",
        "data.target.threshold",
    } <= set(loud)
    assert len(loud) > 60


def test_a_changed_field_is_work_for_the_right_steps(spec: Spec) -> None:
    before = {step.name: step.parameters for step in build_plan(spec).steps}

    def touched(path: str) -> set[str]:
        changed = next(found for name, _, found in changes(spec) if name == path)
        return {step.name for step in build_plan(changed).steps if step.parameters != before.get(step.name)}

    assert touched("training.optimizer.lr") == {"train"}
    assert touched("validation.rules.1.severity") == {"validate"}
    assert touched("data.features.age.clip") == {"prepare"}
    assert touched("data.max_rejects") == {"ingest", "validate", "prepare"}
    assert touched("data.target.threshold") == {"train"}
    assert touched("evaluation.gates.0.at_least") == {"gate"}
    assert touched("exports.main.gates.0.at_least") == {"gate"}
    assert touched("evaluation.slices") == {"evaluate-main"}
    assert touched("exports.main.parity.atol") == {"export-main"}
    assert touched("seed") == {"prepare", "train"}
    assert touched("model.dropout") == {"train", "export-main"}
