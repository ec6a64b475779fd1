"""A field of the spec that any plug-in of one slot may fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from mlspec import registry
from mlspec.sdk.plugin import Plugin


@dataclass(frozen=True)
class Slot:
    """Annotation `Annotated[Model, Slot("model")]`: chooses the class by `kind` and validates against it.

    A plain text stands for `{kind: text}`. A `default` kind is taken where none is named.
    """

    name: str
    default: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.choose)

    def choose(self, value: Any) -> Plugin:
        """Return the plug-in that a mapping, or a kind's bare name, describes.

        Raises:
            PydanticCustomError: `slot_type`, `kind_missing` or `kind_unknown`; its context holds slot and kinds.
        """
        if isinstance(value, Plugin):
            return value
        if isinstance(value, str):
            value = {"kind": value}
        kinds = registry.kinds(self.name)
        context = {"slot": self.name, "kinds": list(kinds)}
        if not isinstance(value, Mapping):
            raise PydanticCustomError("slot_type", "expected a {slot}: a kind, or a mapping with 'kind'", context)
        kind = value.get("kind", self.default)
        if kind is None:
            raise PydanticCustomError("kind_missing", "'kind' is missing", context)
        if not isinstance(kind, str) or kind not in kinds:
            raise PydanticCustomError("kind_unknown", "no {slot} is called '{kind}'", context | {"kind": str(kind)})
        found: Plugin = registry.find(self.name, kind).model_validate({**value, "kind": kind})
        return found
