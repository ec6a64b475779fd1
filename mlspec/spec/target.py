"""`data.target`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.fields import Column
from mlspec.sdk.frozen import Section


class Target(Section):
    """What is predicted."""

    column: Column
    """The column that holds the truth."""
    kind: TargetKind
    """Two classes, several classes, or a number."""
    positive: str | None = None
    """The value that counts as positive; needed for a binary target whose values are not false/true or
    0/1.
    """
    threshold: Annotated[float, Field(ge=0, le=1)] | Literal["max_f1"] = 0.5
    """Probability from which the answer is the positive class; `max_f1` chooses it on the val split.
    Binary only.
    """

    @field_validator("positive", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else value
