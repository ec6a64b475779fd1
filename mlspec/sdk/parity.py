"""How an artifact is held against training."""

from __future__ import annotations

from pydantic import Field

from mlspec.sdk.frozen import Section


class Parity(Section):
    """How far the file's answers may lie from those of training: `atol + rtol * |expected|`."""

    rows: int = Field(default=1000, ge=1, le=10_000)
    """Held-out rows that are compared; made-up hostile ones are added."""
    atol: float = Field(default=1e-5, ge=0)
    """Distance that is always allowed (probability; for a number target in its standard deviations)."""
    rtol: float = Field(default=1e-5, ge=0)
    """Distance allowed as a fraction of the answer."""
