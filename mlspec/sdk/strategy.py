"""How one model is trained on several devices."""

from __future__ import annotations

from typing import Any, ClassVar

from mlspec.sdk.plugin import Plugin


class Strategy(Plugin):
    """A way to spread training over devices."""

    slot: ClassVar[str] = "strategy"
    max_devices: ClassVar[int | None] = None
    """Most devices it can use, or None."""

    def lightning(self) -> Any:
        """Return what `pytorch_lightning.Trainer(strategy=...)` takes."""
        raise NotImplementedError
