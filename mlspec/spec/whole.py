"""What a spec must say itself where no preset says it for it, as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from mlspec import registry
from mlspec.compose.preset_files import shipped
from mlspec.errors import MlspecError
from mlspec.sdk.plugin import Plugin
from mlspec.spec.levels import Level, field_levels, levels
from mlspec.spec.spec import Spec


def whole() -> Iterator[dict[str, Any]]:
    """Give a condition for each key of a spec: unless a preset may have said it, it says all it needs.

    A shipped preset says nothing but its own section; of any other it is not known what it says.
    """
    presets = _presets()
    for name, field in Spec.model_fields.items():
        inside = _any(field_levels(field))
        needed: dict[str, Any] = {"required": [name]} if field.is_required() else {}
        if inside:
            needed["properties"] = {name: inside}
        if needed:
            yield {"if": _may_be_preset(name, presets), "else": needed}


def complete(annotation: Any) -> dict[str, Any]:
    """Return the condition that a value says all it needs; empty where there is none."""
    return _any(tuple(levels(annotation)))


def must_say(model: type[BaseModel]) -> list[str]:
    """Return the keys without a default, but for a plug-in's `kind`."""
    kind = issubclass(model, Plugin)
    return [
        name
        for name, field in model.model_fields.items()
        if field.is_required() and not (kind and name == "kind")
    ]


def _presets() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in sorted(shipped().glob("*/*.yaml")):
        found.setdefault(file.parent.name, []).append(file.stem)
    return found


def _may_be_preset(section: str, presets: dict[str, list[str]]) -> dict[str, Any]:
    others = [
        {"type": "object", "required": [group], "properties": {group: {"enum": names}}}
        for group, names in presets.items()
        if group != section
    ]
    item = {"not": {"anyOf": [{"const": "_self_"}, *others]}}
    return {"required": ["defaults"], "properties": {"defaults": {"type": "array", "contains": item}}}


def _any(options: tuple[Level, ...]) -> dict[str, Any]:
    conditions = [condition for level in options if (condition := _level(level))]
    return conditions[0] if len(conditions) == 1 else {"allOf": conditions} if conditions else {}


def _level(level: Level) -> dict[str, Any]:
    if level.slot is not None:
        return _slot(level.slot, level.kind)
    if level.model is not None:
        return _if_mapping(_model(level.model))
    if level.values is not None:
        values = complete(level.values)
        return {"if": {"type": "object"}, "then": {"additionalProperties": values}} if values else {}
    return {}


def _model(model: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if required := must_say(model):
        found["required"] = required
    inside = {name: _any(field_levels(field)) for name, field in model.model_fields.items() if name != "kind"}
    if inside := {name: condition for name, condition in inside.items() if condition}:
        found["properties"] = inside
    return found


def _if_mapping(condition: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"type": "object"}, "then": condition} if condition else {}


def _slot(slot: str, default: str | None) -> dict[str, Any]:
    conditions = []
    if default is None:
        conditions.append(_if_mapping({"required": ["kind"]}))
    for kind in registry.kinds(slot):
        try:
            model = registry.find(slot, kind)
        except MlspecError:
            continue
        needed = _model(model)
        if needed:
            named = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}}}
            conditions.append({"if": named, "then": needed})
        if kind == default:
            keys = {"anyOf": [{"enum": [*model.model_fields]}, {"pattern": "^x-"}]}
            nameless = {"type": "object", "not": {"required": ["kind"]}}
            conditions.append({"if": nameless, "then": {"propertyNames": keys, **needed}})
    return conditions[0] if len(conditions) == 1 else {"allOf": conditions} if conditions else {}
