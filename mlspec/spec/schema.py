"""The language as a JSON Schema, draft 2020-12: closed, with a description on every key.

What each key may hold stands in `properties` and `$defs`, where nothing but `kind` is required: a preset may
have said the
rest. What a spec must say itself, for want of such a preset, stands in `allOf` (see `whole`).
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from mlspec import registry
from mlspec.errors import MlspecError
from mlspec.sdk.fields import KindOf, parameters
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.slot import Slot
from mlspec.spec.described import described, summary
from mlspec.spec.example import EXAMPLE
from mlspec.spec.levels import Level, levels
from mlspec.spec.spec import Spec
from mlspec.spec.whole import complete, must_say, whole

ADDRESS = "https://json-schema.org/draft/2020-12/schema"
_NOTES: dict[str, Any] = {"^x-": {"description": "A note; mlspec does not read it."}}
_REFERENCE: dict[str, Any] = {
    "type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_.-]*\}$", "description": "The value of "
    "another key.",
}  # fmt: skip


_SWITCH: dict[str, Any] = {
    "enum": [form for word in ("yes", "no", "on", "off") for form in (word, word.title(), word.upper())],
    "description": "Words for true and false.",
}
_UNQUOTED: dict[str, Any] = {
    "type": ["integer", "boolean"],
    "description": "A whole number or true or false, taken as its text.",
}


WRITTEN = "x-examples"
"""Examples that are mappings: by the usual word, editors would offer them as `[object Object]`."""


def schema() -> dict[str, Any]:
    """Return the schema of a spec, with the plug-ins that can be found now."""
    made = _Schema()
    top = made.model(Spec, example=EXAMPLE)
    top["properties"]["defaults"] = _DEFAULTS
    definitions = {"reference": _REFERENCE, "switch": _SWITCH, "unquoted": _UNQUOTED, **made.definitions}
    return {
        "$schema": ADDRESS,
        "title": "mlspec/v1",
        **top,
        "allOf": list(whole()),
        "$defs": dict(sorted(definitions.items())),
    }


_DEFAULTS: dict[str, Any] = {
    "description": "Presets this spec stands on: the workspace's conf/ first, then the shipped ones.",
    "type": ["array", "null"],
    "x-examples": [[{"hardware": "cpu"}, "_self_"]],
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


class _Schema:
    """Collects the definitions that are shared."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self.names: dict[type[BaseModel], str] = {}

    def model(self, model: type[BaseModel], kind: str | None = None, example: Any = None) -> dict[str, Any]:
        """Return a closed object for a section or a plug-in.

        Args:
            model: Its class.
            kind: The plug-in's kind.
            example: What may stand there, for the examples of its keys.
        """
        texts = described(model)
        given = _examples(model) if kind is not None else (example,) if isinstance(example, Mapping) else ()
        found: dict[str, Any] = {"type": "object", "description": summary(model)}
        properties: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            if name == "kind" and kind is not None:
                properties[name] = {"const": kind, "description": summary(model)}
                continue
            values = tuple(item[name] for item in given if name in item)
            properties[name] = self.field(field, texts.get(name, ""), values)
            if _takes_unquoted(model, name):
                _let_unquoted(properties[name])
        found |= {"properties": properties, "patternProperties": _NOTES, "additionalProperties": False}
        if kind is not None:
            found |= {"required": ["kind"], WRITTEN: [dict(item) for item in given[:MOST]]}
        return found

    def field(self, field: FieldInfo, text: str, values: tuple[Any, ...] = ()) -> dict[str, Any]:
        """Return what a field takes; an empty key says nothing where there is a default."""
        options = self.options(field.annotation, tuple(field.metadata), values[0] if values else None)
        if not field.is_required() and {"type": "null"} not in options:
            options.append({"type": "null"})
        found: dict[str, Any] = {"description": text} if text else {}
        default = _default(field)
        if default is not _NOTHING:
            found["default"] = default
        distinct = [value for index, value in enumerate(values) if value not in values[:index]]
        section = any(str(option.get("$ref")).startswith("#/$defs/section_") for option in options)
        if distinct and not section:
            found[WRITTEN if _has_mapping(distinct) else "examples"] = distinct[:MOST]
        return found | (options[0] if len(options) == 1 else {"anyOf": options})

    def options(
        self, annotation: Any, marks: tuple[Any, ...] = (), example: Any = None
    ) -> list[dict[str, Any]]:
        """Return one schema for each thing that an annotation allows."""
        if any(isinstance(mark, Slot) for mark in marks):
            return [self.slot(next(mark for mark in marks if isinstance(mark, Slot)))]
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.options(arguments[0], (*arguments[1:], *marks), example)
        if origin in (Union, types.UnionType):
            return [option for argument in arguments for option in self.options(argument, marks, example)]
        level = next(levels(annotation, marks))
        if level.model is not None:
            return [self.section(level.model, example)]
        if level.values is not None:
            return [self.mapping(arguments[0], level, example)]
        if level.items is not None:
            return [self.items(arguments, marks)]
        plain = _plain(annotation, marks)
        if "anyOf" in plain:
            return [*plain["anyOf"], {"$ref": "#/$defs/reference"}]
        for mark in marks:
            if isinstance(mark, KindOf):
                plain["enum"] = list(registry.kinds(mark.slot))
        if annotation is type(None):
            return [plain]
        # A reference is text, but for text that must look like something.
        free = plain.get("type") == "string" and not {"pattern", "enum", "const", "maxLength"} & set(plain)
        found = [plain] if free or level.secret else [plain, {"$ref": "#/$defs/reference"}]
        return [*found, {"$ref": "#/$defs/switch"}] if annotation is bool else found

    def section(self, model: type[BaseModel], example: Any = None) -> dict[str, Any]:
        """Return a reference to a section."""
        if model not in self.names:
            name = f"section_{model.__name__.lower()}"
            while name in self.definitions:
                name += "_"
            self.names[model] = name
            self.definitions[name] = {}
            self.definitions[name] = self.model(model, example=example)
        return {"$ref": f"#/$defs/{self.names[model]}"}

    def mapping(self, key: Any, level: Level, example: Any = None) -> dict[str, Any]:
        inside = example.values() if isinstance(example, Mapping) else ()
        shown = next((value for value in inside if isinstance(value, Mapping)), None)
        values = self.options(level.values, example=shown)
        found: dict[str, Any] = {
            "type": "object",
            "additionalProperties": values[0] if len(values) == 1 else {"anyOf": values},
        }
        names = {name: value for name, value in _plain(key, ()).items() if name != "type"}
        return found | ({"propertyNames": names} if names else {})

    def items(self, arguments: tuple[Any, ...], marks: tuple[Any, ...]) -> dict[str, Any]:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            values = [_complete(option, arguments[0]) for option in self.options(arguments[0])]
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
        """Return one of a slot's kinds: a mapping, a bare name, or options of a kind named below."""
        name = f"slot_{slot.name}"
        if name not in self.definitions:
            self.definitions[name] = {}
            kinds = self._kinds(slot.name)
            references = [{"$ref": f"#/$defs/{slot.name}_{kind}"} for kind in kinds]
            self.definitions[name] = {
                "oneOf": [*references, self._bare(slot.name, kinds), self._open(slot, kinds)]
            }
        return {"$ref": f"#/$defs/{name}"}

    def _kinds(self, slot: str) -> dict[str, type[BaseModel]]:
        """Define each kind that can be loaded: those of an untrusted workspace cannot."""
        found = {}
        for kind in registry.kinds(slot):
            try:
                found[kind] = registry.find(slot, kind)
            except MlspecError:
                continue
            self.definitions[f"{slot}_{kind}"] = {"title": f"{slot} {kind}"} | self.model(found[kind], kind)
        return found

    def _bare(self, slot: str, kinds: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
        bare = [kind for kind, model in kinds.items() if not must_say(model)]
        return {"enum": bare, "description": f"A {slot} with its defaults."} if bare else {"not": {}}

    def _open(self, slot: Slot, kinds: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
        """Return the options of all kinds together, for a mapping whose kind a preset or a default names."""
        properties: dict[str, list[Any]] = {}
        for kind in sorted(kinds, key=lambda kind: kind != slot.default):
            for key, value in self.definitions[f"{slot.name}_{kind}"]["properties"].items():
                found = properties.setdefault(key, [])
                if key != "kind" and value not in found:
                    found.append(value)
        return {
            "title": f"options of a {slot.name}",
            "type": "object",
            "description": f"Options of the {slot.name} that a preset or the default names.",
            "properties": {
                key: values[0]
                if len(values) == 1
                else {"description": values[0].get("description", ""), "anyOf": values}
                for key, values in properties.items()
                if key != "kind"
            },
            "patternProperties": _NOTES,
            "additionalProperties": False,
        }


_NOTHING = object()


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return _NOTHING
    value = parameters(field.get_default(call_default_factory=True, validated_data={}))
    if isinstance(value, dict) and isinstance(field.get_default(call_default_factory=True), Plugin):
        return value["kind"]
    return _NOTHING if value is None or value in ({}, []) or isinstance(value, dict) else value


def _complete(option: dict[str, Any], annotation: Any) -> dict[str, Any]:
    """Return an item of a list, which no preset adds to: lists are replaced whole."""
    rest = complete(annotation)
    return {"allOf": [option, rest]} if rest else option


def _has_mapping(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(_has_mapping(value) for value in values)
    return isinstance(values, Mapping)


MOST = 3
"""Examples that are shown of a key."""


def _examples(model: type[Any]) -> tuple[Mapping[str, Any], ...]:
    """Return a plug-in's examples as a user would write them."""
    try:
        return tuple(_written(example) for example in model.examples())
    except (ValueError, TypeError, AttributeError, MlspecError):
        return ()


def _written(value: Any) -> Any:
    if isinstance(value, BaseModel):
        said = [name for name in type(value).model_fields if name in value.model_fields_set]
        return {name: _written(getattr(value, name)) for name in said}
    if isinstance(value, Mapping):
        return {str(key): _written(item) for key, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, tuple | list) else value


def _takes_unquoted(model: type[BaseModel], name: str) -> bool:
    """Return whether a field of text makes text of numbers and switches itself."""
    before = model.__pydantic_decorators__.field_validators.values()
    return any(name in found.info.fields and found.info.mode == "before" for found in before)


def _let_unquoted(field: dict[str, Any]) -> None:
    if field.get("type") == "array":
        field["items"] = {"anyOf": [field["items"], {"$ref": "#/$defs/unquoted"}]}
    elif "anyOf" in field:
        field["anyOf"].append({"$ref": "#/$defs/unquoted"})


def _plain(annotation: Any, marks: tuple[Any, ...]) -> dict[str, Any]:
    made: Any = annotation
    for mark in marks:
        made = Annotated[made, mark]
    found: dict[str, Any] = TypeAdapter(made).json_schema()
    return {name: value for name, value in found.items() if name not in ("title", "default")}


def options_of(field: FieldInfo) -> list[dict[str, Any]]:
    """Return what one field takes, one schema for each sort of value."""
    return _Schema().options(field.annotation, tuple(field.metadata))
