"""What every plug-in is: one frozen class whose fields are its options in the YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import model_validator

from mlspec.sdk.frozen import Frozen, tidy


class Plugin(Frozen):
    """One choice for one slot: fields are its YAML options, methods do its work, heavy imports sit inside
    them.
    """

    slot: ClassVar[str]
    revision: ClassVar[int] = 1
    """Raised when the same options give other results; part of the parameters of the steps that use it."""
    requires: ClassVar[Mapping[str, str]] = {}
    """Modules this kind cannot work without, each with the extra that installs it: `{"torch": "train"}`."""

    kind: str
    """The name of this choice: the file in the slot's folder."""

    @model_validator(mode="before")
    @classmethod
    def _name_kind(cls, data: Any) -> Any:
        own = cls.__module__.rpartition(".")[2]
        if data is None:
            data = {}
        if isinstance(data, Mapping):
            return {"kind": own} | tidy(cls, data)
        return data

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use; at least one."""
        return (cls.revive({}),)
