"""`${...}`: whole values that point at another value of the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlspec.compose.document import KeyPath

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)\}")
_ENVIRONMENT = re.compile(r"\$\{oc\.env:[A-Za-z_][A-Za-z0-9_]*\}")
_MARK = re.compile(r"(?<!\\)\$\{")
LONGEST = 1_000
"""Items of a list that a reference may stand for."""


@dataclass(frozen=True)
class Trouble:
    """An interpolation that the language refuses."""

    code: str
    path: KeyPath
    what: str
    fix: str


@dataclass(frozen=True)
class Interpolated:
    """A tree with its references replaced."""

    tree: Any
    environment: tuple[KeyPath, ...]
    """Values `${oc.env:NAME}`, left as they are: secrets stay unresolved until they are used."""
    troubles: tuple[Trouble, ...]


def interpolate(tree: Any) -> Interpolated:
    r"""Return a tree in which every `${path.to.key}` is the value it points at.

    A reference is a whole value and points at a plain value (or a list of plain values) that holds none
    itself, so nothing
    can grow. `\\${` is a plain `${`. Resolvers other than `oc.env` are refused.

    Example:
        >>> interpolate({"a": 3, "b": "${a}"}).tree
        {'a': 3, 'b': 3}
    """
    environment: list[KeyPath] = []
    troubles: list[Trouble] = []
    new: dict[KeyPath, Any] = {}
    for path, text in list(_texts(tree, ())):
        if not _MARK.search(text):
            new[path] = text.replace("\\${", "${")
        elif _ENVIRONMENT.fullmatch(text):
            environment.append(path)
        elif match := _REFERENCE.fullmatch(text):
            value = _target(tree, match[1], path, troubles)
            if value is not None:
                new[path] = value
        else:
            troubles.append(
                Trouble(
                    "MS0116",
                    path,
                    f"'{_short(text)}' is more than a reference",
                    "a whole value ${path.to.key} is the only form; \\${ writes a plain ${",
                )
            )
    return Interpolated(_with(tree, (), new), tuple(environment), tuple(troubles))


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        if "${" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _target(tree: Any, name: str, path: KeyPath, troubles: list[Trouble]) -> Any:
    value = tree
    for step in name.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = None
            break
    if value is None:
        troubles.append(
            Trouble(
                "MS0117",
                path,
                f"'${{{name}}}' points at nothing",
                "point at a key that the spec, a preset or an override sets",
            )
        )
        return None
    items = value if isinstance(value, list) else [value]
    if len(items) > LONGEST or any(isinstance(item, dict | list) for item in items):
        troubles.append(
            Trouble(
                "MS0116",
                path,
                f"'${{{name}}}' points at a section",
                "point at a plain value, or use a preset",
            )
        )
        return None
    if any(isinstance(item, str) and _ENVIRONMENT.fullmatch(item) for item in items):
        what, fix = f"'${{{name}}}' points at a secret", "name the variable here as well: ${oc.env:NAME}"
        troubles.append(Trouble("MS0121", path, what, fix))
        return None
    if any(isinstance(item, str) and "${" in item for item in items):
        troubles.append(
            Trouble("MS0116", path, f"'${{{name}}}' points at another reference", "point at the value itself")
        )
        return None
    return value


def _with(value: Any, path: KeyPath, new: dict[KeyPath, Any]) -> Any:
    if path in new:
        return new[path]
    if isinstance(value, dict):
        return {key: _with(item, (*path, key), new) for key, item in value.items()}
    if isinstance(value, list):
        return [_with(item, (*path, index), new) for index, item in enumerate(value)]
    return value


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
