"""What may stand at a place of a spec. Walked only to explain: for faults, `why` and the schema, never on
the good way.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mlspec import registry
from mlspec.compose.document import KeyPath
from mlspec.errors import MlspecError
from mlspec.sdk.fields import IsSecret
from mlspec.sdk.slot import Slot
from mlspec.spec.spec import Spec


@dataclass(frozen=True)
class Level:
    """One of the things that may stand at a place."""

    model: type[BaseModel] | None = None
    """A section."""
    slot: str | None = None
    """A plug-in of this slot."""
    kind: str | None = None
    """The plug-in that is taken where none is named."""
    values: Any = None
    """A mapping by names of the user's; the annotation of its values."""
    items: Any = None
    """A list; the annotation of its items."""
    words: tuple[str, ...] = ()
    """One of some words."""
    leaf: Any = None
    """Any other type."""
    secret: IsSecret | None = None
    """A text that nobody may see."""


def levels(annotation: Any, marks: tuple[Any, ...] = ()) -> Iterator[Level]:
    """Give what an annotation allows."""
    for mark in marks:
        if isinstance(mark, Slot):
            yield Level(slot=mark.name, kind=mark.default)
            return
        if isinstance(mark, IsSecret):
            yield Level(leaf=annotation, secret=mark)
            return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from levels(arguments[0], tuple(arguments[1:]))
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from levels(argument, marks)
    elif origin is Literal:
        yield Level(words=tuple(str(word) for word in arguments))
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield Level(values=arguments[1])
    elif origin is tuple:
        yield Level(items=arguments[0])
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield Level(model=annotation)
    else:
        yield Level(leaf=annotation)


def field_levels(field: FieldInfo) -> tuple[Level, ...]:
    """Return what a field allows."""
    return tuple(levels(field.annotation, tuple(field.metadata)))


def is_slot(path: KeyPath) -> bool:
    """Return whether a plug-in fills the key at a path, whatever the tree says above it."""
    here: tuple[Level, ...] = (Level(model=Spec),)
    for step in path:
        here = tuple(inner for level in here for inner in _inside(level, step, None))
    return any(level.slot for level in here)


def at_path(path: KeyPath, tree: Any) -> tuple[Level, ...]:
    """Return what may stand at a path of a tree: kinds named in the tree choose the options below them."""
    here: tuple[Level, ...] = (Level(model=Spec),)
    for step in path:
        here = tuple(inner for level in here for inner in _inside(level, step, tree))
        tree = _step(tree, step)
    return here


def _inside(level: Level, step: str | int, tree: Any) -> tuple[Level, ...]:
    if level.model is not None:
        return _field(level.model, step)
    if level.slot is not None:
        found = plugin(level, tree)
        return _field(found, step) if found is not None else ()
    if level.values is not None and isinstance(step, str):
        return tuple(levels(level.values))
    if level.items is not None and isinstance(step, int):
        return tuple(levels(level.items))
    return ()


def _field(model: type[BaseModel], step: str | int) -> tuple[Level, ...]:
    field = model.model_fields.get(str(step))
    return field_levels(field) if field is not None else ()


def _step(tree: Any, step: str | int) -> Any:
    try:
        return tree[step]
    except (LookupError, TypeError):
        return None


def plugin(level: Level, value: Any) -> type[BaseModel] | None:
    """Return the class that a mapping or a bare name chooses for a slot, or None where it chooses none."""
    kind = value.get("kind", level.kind) if isinstance(value, Mapping) else value
    if level.slot is None or not isinstance(kind, str) or not registry.exists(level.slot, kind):
        return None
    try:
        found: type[BaseModel] = registry.find(level.slot, kind)
    except MlspecError:
        return None
    return found


def keys_at(path: KeyPath, tree: Any) -> tuple[str, ...]:
    """Return the keys that may stand in the mapping at a path; none where the names are the user's."""
    value = tree
    for step in path:
        value = _step(value, step)
    found: list[str] = []
    for level in at_path(path, tree):
        model = level.model or plugin(level, value)
        if model is not None:
            found += model.model_fields
    if not path:
        found.append("defaults")
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Home:
    """A key of the language and where it belongs."""

    key: str
    parent: str
    """`training.optimizer`, `data.features.*`, `` for the top."""
    kind: str | None = None
    """Of the plug-in whose option it is."""
    secret: IsSecret | None = None
    """Where nobody may see its value."""

    @property
    def path(self) -> str:
        """The key with its level."""
        return f"{self.parent}.{self.key}" if self.parent else self.key


@functools.cache
def homes() -> tuple[Home, ...]:
    """Return every key of the language with its level, those of all plug-ins included."""
    return tuple(dict.fromkeys(_homes(Level(model=Spec), "")))


def _homes(level: Level, path: str) -> Iterator[Home]:
    if level.model is not None:
        yield from _of(level.model, path, None)
    elif level.slot is not None:
        for kind in registry.kinds(level.slot):
            found = plugin(level, kind)
            if found is not None:
                yield from _of(found, path, kind)
    elif level.values is not None:
        for inner in levels(level.values):
            yield from _homes(inner, f"{path}.*")
    elif level.items is not None:
        for inner in levels(level.items):
            yield from _homes(inner, f"{path}[]")


def _of(model: type[BaseModel], path: str, kind: str | None) -> Iterator[Home]:
    for name, field in model.model_fields.items():
        if name == "kind" and kind is not None:
            continue
        inside = field_levels(field)
        yield Home(name, path, kind, next((level.secret for level in inside if level.secret), None))
        for level in inside:
            yield from _homes(level, f"{path}.{name}" if path else name)
