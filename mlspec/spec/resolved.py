"""A spec as plain data, every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def resolved(value: Any) -> Any:
    """Return plain data (dict, list, text, numbers) of a spec or a part of it, fields without effect
    included.
    """
    if isinstance(value, BaseModel):
        return {name: resolved(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): resolved(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [resolved(item) for item in value]
    return value
