"""Marks and types that fields of a spec carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, StringConstraints, WithJsonSchema

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A name that becomes a folder: small letters, digits and underscores."""

Column = Annotated[str, StringConstraints(min_length=1, max_length=512)]
"""A column's name, as the data has it."""


@dataclass(frozen=True)
class NoEffect:
    """Mark of a field that changes no result: ports, log paths, intervals. It is no step's parameter."""


@dataclass(frozen=True)
class InputPath:
    """Mark of a text that names a file to read; the plan makes it relative to the workspace."""


@dataclass(frozen=True)
class KindOf:
    """Mark of a text that names a kind of some slot, so that editors offer them."""

    slot: str


Path = Annotated[str, InputPath(), StringConstraints(min_length=1)]
"""A file, folder or URL to read. Relative paths start at the spec's folder."""

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `90s`, `5m`, `1h`.

    Raises:
        ValueError: the text is no duration.

    Example:
        >>> seconds("5m")
        300.0
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if match is None:
        raise ValueError("expected a duration such as 90s, 5m, 1h or 2d")
    return float(match[1]) * _UNITS[match[2]]


def _check_duration(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}),
]
"""A span of time: a number and ms, s, m, h or d."""


def parameters(value: Any) -> Any:
    """Return plain data of a spec value (texts, numbers, booleans, None, lists, mappings), without what has
    no effect.

    Field order is that of the class; `Frozen.revive` is the way back, with defaults for what was left out.
    """
    if isinstance(value, BaseModel):
        return {
            name: parameters(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if not any(isinstance(mark, NoEffect) for mark in field.metadata)
        }
    if isinstance(value, Mapping):
        return {str(key): parameters(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [parameters(item) for item in value]
    return value
