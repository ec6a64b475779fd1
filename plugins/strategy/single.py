"""One device."""

from __future__ import annotations

from typing import ClassVar

from mlspec.sdk.strategy import Strategy


class Single(Strategy):
    """The whole model and every row on one device."""

    max_devices: ClassVar[int | None] = 1
