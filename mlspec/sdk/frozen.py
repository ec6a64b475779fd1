"""The one base of every value that comes out of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator


def freeze(value: Any) -> Any:
    """Turn lists into tuples, deeply, so that strict validation takes them for the tuples they stand for."""
    if isinstance(value, Mapping):
        return {key: freeze(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


class Frozen(BaseModel):
    """A closed, strict, immutable value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True, protected_namespaces=(), ser_json_inf_nan="constants"
    )

    @classmethod
    def revive(cls, data: Mapping[str, Any]) -> Self:
        """Return the value that plain JSON or YAML data describes (see `parameters` for the way back)."""
        return cls.model_validate(freeze(data))


class Section(Frozen):
    """A part of the spec without a `kind:`; notes (`x-` keys) are legal in it, and null says nothing."""

    @model_validator(mode="before")
    @classmethod
    def _drop_notes(cls, data: Any) -> Any:
        if data is None:
            return {}
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if not (isinstance(key, str) and key.startswith("x-"))}
        return data
