"""From values of a spec to plain data that a step is given."""

from __future__ import annotations

import posixpath
import typing
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from mlspec.sdk.fields import InputPath, NoEffect


def plain(value: Any, folder: str = "") -> Any:
    """Return a value as plain data: keys sorted, no fields without effect, paths relative to the workspace.

    Args:
        value: A section, a plug-in, or what stands in their fields.
        folder: The spec's folder, relative to the workspace.
    """
    if isinstance(value, BaseModel):
        return {
            name: _moved(plain(getattr(value, name), folder), field, folder)
            for name, field in sorted(type(value).model_fields.items())
            if not any(isinstance(mark, NoEffect) for mark in field.metadata)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(value[key], folder) for key in sorted(value, key=str)}
    if isinstance(value, tuple | list):
        return [plain(item, folder) for item in value]
    return value


def relocate(path: str, folder: str) -> str:
    """Return a path written in a spec as one that starts at the workspace; URLs and absolute paths stay.

    Example:
        >>> relocate("../data/a.csv", "specs/small")
        'specs/data/a.csv'
    """
    if "://" in path or posixpath.isabs(path):
        return path
    return posixpath.normpath(posixpath.join(folder, path))


def _moved(value: Any, field: Any, folder: str) -> Any:
    marked = any(isinstance(mark, InputPath) for mark in field.metadata) or _names_path(field.annotation)
    return _each_text(value, lambda path: relocate(path, folder)) if marked else value


def _names_path(annotation: Any) -> bool:
    """Look for the mark inside `Path | None`, `tuple[Path, ...]` and the like."""
    if any(isinstance(mark, InputPath) for mark in getattr(annotation, "__metadata__", ())):
        return True
    return any(_names_path(part) for part in typing.get_args(annotation))


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    return value
