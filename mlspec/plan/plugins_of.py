"""The plug-ins that a part of a spec uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlspec import registry
from mlspec.sdk.fields import NoEffect
from mlspec.sdk.plugin import Plugin


def plugins_of(*values: Any) -> tuple[Plugin, ...]:
    """Return every plug-in inside some values of a spec, in the order of the fields."""
    return tuple(found for value in values for found in _inside(value))


def revisions(plugins: tuple[Plugin, ...]) -> dict[str, int]:
    """Return each plug-in's revision by `slot/kind`: a raised one is a reason to work."""
    return {f"{plugin.slot}/{plugin.kind}": type(plugin).revision for plugin in plugins}


def workspace_files(plugins: tuple[Plugin, ...]) -> tuple[str, ...]:
    """Return the files of plug-ins that live in the workspace: their text decides over results."""
    shipped = {str(folder) for folder in _shipped()}
    found: set[str] = set()
    for plugin in plugins:
        file = registry.file(plugin.slot, plugin.kind)
        if file is None or str(file.parents[1]) in shipped:
            continue
        siblings = (other.name for other in file.parent.glob("_*.py") if other.name != "__init__.py")
        found.update(f"plugins/{plugin.slot}/{name}" for name in (file.name, *siblings))
    return tuple(sorted(found))


def _shipped() -> Iterator[Path]:
    package = Path(registry.__file__).resolve().parent
    yield package / "plugins"
    yield package.parent / "plugins"


def _inside(value: Any) -> Iterator[Plugin]:
    if isinstance(value, Plugin):
        yield value
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if not any(isinstance(mark, NoEffect) for mark in field.metadata):
                yield from _inside(getattr(value, name))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _inside(value[key])
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _inside(item)
