"""The one base of every value that comes out of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator


def freeze(value: Any) -> Any:
    """Turn lists into tuples, deeply, so that strict validation takes them for the tuples they stand for."""
    if isinstance(value, Mapping):
        return {key: freeze(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


_SWITCHES = {"yes": True, "on": True, "no": False, "off": False}


def tidy(model: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping of the YAML as a class takes it.

    Notes (`x-` keys) are left out; an empty key says nothing unless the field takes null; `yes`, `no`,
    `on`, `off` are
    text to the reader and become true and false here, where the field is a switch.
    """
    fields = model.model_fields
    found = {}
    for key, value in data.items():
        if isinstance(key, str) and key.startswith("x-"):
            continue
        if value is None and key in fields and type(None) not in get_args(fields[key].annotation):
            continue
        if isinstance(value, str) and key in fields and fields[key].annotation in (bool, bool | None):
            value = _SWITCHES.get(value.lower(), value)
        found[key] = value
    return found


class Frozen(BaseModel):
    """A closed, strict, immutable value."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        protected_namespaces=(),
        ser_json_inf_nan="constants",
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
            return tidy(cls, data)
        return data
