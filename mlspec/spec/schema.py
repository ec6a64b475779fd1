"""The language as a JSON Schema, draft 2020-12: closed, with a description on every key."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from mlspec import registry
from mlspec.errors import MlspecError
from mlspec.sdk.fields import parameters
from mlspec.sdk.slot import Slot
from mlspec.spec.described import described, summary
from mlspec.spec.levels import Level, levels
from mlspec.spec.spec import Spec

ADDRESS = "https://json-schema.org/draft/2020-12/schema"
_NOTES: dict[str, Any] = {"^x-": {"description": "A note; mlspec does not read it."}}
_REFERENCE: dict[str, Any] = {
    "type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_.-]*\}$", "description": "The value of "
    "another key.",
}  # fmt: skip


def schema() -> dict[str, Any]:
    """Return the schema of a spec, with the plug-ins that can be found now."""
    made = _Schema()
    top = made.model(Spec)
    top["properties"]["defaults"] = _DEFAULTS
    # Presets may say what a spec leaves out.
    top |= {"if": {"not": {"required": ["defaults"]}}, "then": {"required": top.pop("required")}}
    found = {
        "$schema": ADDRESS,
        "title": "mlspec/v1",
        **top,
        "$defs": {"reference": _REFERENCE, **made.definitions},
    }
    return _sorted_defs(found)


_DEFAULTS: dict[str, Any] = {
    "description": "Presets this spec stands on: the workspace's conf/ first, then the shipped ones.",
    "type": ["array", "null"],
    "items": {
        "anyOf": [
            {"type": "string", "pattern": "^/?[a-z0-9_]+(/[a-z0-9_]+)*$"},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": {"type": ["string", "array", "null"], "items": {"type": "string"}},
            },
        ]
    },
}


def _sorted_defs(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "$defs": dict(sorted(found["$defs"].items()))}


class _Schema:
    """Collects the definitions that are shared."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def model(self, model: type[BaseModel], kind: str | None = None) -> dict[str, Any]:
        """Return a closed object for a section or a plug-in."""
        texts = described(model)
        properties, required = {}, []
        for name, field in model.model_fields.items():
            if name == "kind" and kind is not None:
                properties[name] = {"const": kind, "description": summary(model)}
                continue
            properties[name] = self.field(field, texts.get(name, ""))
            if field.is_required():
                required.append(name)
        if kind is not None:
            required = ["kind", *required]
        return {
            "type": "object",
            "description": summary(model),
            "properties": properties,
            "patternProperties": _NOTES,
            "required": required,
            "additionalProperties": False,
        }

    def field(self, field: FieldInfo, text: str) -> dict[str, Any]:
        """Return what a field takes; an empty key says nothing where there is a default."""
        options = self.options(field.annotation, tuple(field.metadata))
        if not field.is_required() and {"type": "null"} not in options:
            options.append({"type": "null"})
        found: dict[str, Any] = {"description": text} if text else {}
        default = _default(field)
        if default is not _NOTHING:
            found["default"] = default
        return found | (options[0] if len(options) == 1 else {"anyOf": options})

    def options(self, annotation: Any, marks: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Return one schema for each thing that an annotation allows."""
        if any(isinstance(mark, Slot) for mark in marks):
            return [self.slot(next(mark for mark in marks if isinstance(mark, Slot)))]
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.options(arguments[0], (*arguments[1:], *marks))
        if origin in (Union, types.UnionType):
            return [option for argument in arguments for option in self.options(argument, marks)]
        level = next(levels(annotation))
        if level.model is not None:
            return [self.section(level.model)]
        if level.values is not None:
            return [self.mapping(arguments[0], level)]
        if level.items is not None:
            return [self.items(arguments, marks)]
        plain = _plain(annotation, marks)
        text = plain.get("type") == "string" or origin is Literal
        return [plain] if text or annotation is type(None) else [plain, {"$ref": "#/$defs/reference"}]

    def section(self, model: type[BaseModel]) -> dict[str, Any]:
        name = f"section_{model.__name__.lower()}"
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self.model(model)
        return {"$ref": f"#/$defs/{name}"}

    def mapping(self, key: Any, level: Level) -> dict[str, Any]:
        values = self.options(level.values)
        found: dict[str, Any] = {
            "type": "object",
            "additionalProperties": values[0] if len(values) == 1 else {"anyOf": values},
        }
        names = {name: value for name, value in _plain(key, ()).items() if name != "type"}
        return found | ({"propertyNames": names} if names else {})

    def items(self, arguments: tuple[Any, ...], marks: tuple[Any, ...]) -> dict[str, Any]:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            values = self.options(arguments[0])
            sizes = _plain(tuple[Any, ...], marks)
            sizes = {name: sizes[name] for name in ("minItems", "maxItems") if name in sizes}
            return {"type": "array", "items": values[0] if len(values) == 1 else {"anyOf": values}, **sizes}
        each = [{"anyOf": self.options(argument)} for argument in arguments]
        return {
            "type": "array",
            "prefixItems": each,
            "items": False,
            "minItems": len(each),
            "maxItems": len(each),
        }

    def slot(self, slot: Slot) -> dict[str, Any]:
        """Return one of a slot's kinds, as a mapping or, where nothing else is needed, by its bare name."""
        name = f"slot_{slot.name}"
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = {"oneOf": [*self._kinds(slot.name), self._bare(slot.name)]}
        if slot.default is None:
            return {"$ref": f"#/$defs/{name}"}
        return {"anyOf": [{"$ref": f"#/$defs/{name}"}, self._default_kind(slot)]}

    def _kinds(self, slot: str) -> list[dict[str, Any]]:
        found = []
        for kind in registry.kinds(slot):
            try:
                model = registry.find(slot, kind)
            except MlspecError:
                continue
            name = f"{slot}_{kind}"
            self.definitions[name] = self.model(model, kind)
            found.append({"$ref": f"#/$defs/{name}"})
        return found

    def _bare(self, slot: str) -> dict[str, Any]:
        bare = []
        for kind in registry.kinds(slot):
            options = self.definitions.get(f"{slot}_{kind}")
            if options and options["required"] == ["kind"]:
                bare.append(kind)
        return {"enum": bare, "description": f"A {slot} with its defaults."} if bare else {"not": {}}

    def _default_kind(self, slot: Slot) -> dict[str, Any]:
        found = dict(self.definitions[f"{slot.name}_{slot.default}"])
        return {**found, "required": [name for name in found["required"] if name != "kind"]}


_NOTHING = object()


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return _NOTHING
    value = parameters(field.get_default(call_default_factory=True, validated_data={}))
    return _NOTHING if value is None or value in ({}, []) or isinstance(value, dict) else value


def _plain(annotation: Any, marks: tuple[Any, ...]) -> dict[str, Any]:
    made: Any = annotation
    for mark in marks:
        made = Annotated[made, mark]
    found: dict[str, Any] = TypeAdapter(made).json_schema()
    return {name: value for name, value in found.items() if name not in ("title", "default")}


def options_of(field: FieldInfo) -> list[dict[str, Any]]:
    """Return what one field takes, one schema for each sort of value."""
    return _Schema().options(field.annotation, tuple(field.metadata))
