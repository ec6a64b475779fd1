"""One device."""

from __future__ import annotations

from typing import Any, ClassVar

from mlspec.sdk.strategy import Strategy


class Single(Strategy):
    """The whole model and every row on one device."""

    max_devices: ClassVar[int | None] = 1

    def lightning(self) -> Any:
        """Return the strategy that Lightning takes for one device."""
        return "auto"
