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

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.choose)

    def choose(self, value: Any) -> Plugin:
        """Return the plug-in that a mapping, or a kind's bare name, describes.

        Raises:
            PydanticCustomError: `slot_type`, `kind_missing` or `kind_unknown`; its context holds the slot.
        """
        if isinstance(value, Plugin):
            return value
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            raise PydanticCustomError(
                "slot_type", "expected a {slot}: a kind, or a mapping with 'kind'", self._told()
            )
        kind = value.get("kind", self.default)
        if kind is None:
            raise PydanticCustomError("kind_missing", "'kind' is missing", self._told())
        if not isinstance(kind, str) or not registry.exists(self.name, kind):
            told = self._told() | {"kind": str(kind)}
            raise PydanticCustomError("kind_unknown", "no {slot} is called '{kind}'", told)
        found: Plugin = registry.find(self.name, kind).model_validate({**value, "kind": kind})
        return found

    def _told(self) -> dict[str, Any]:
        return {"slot": self.name}
