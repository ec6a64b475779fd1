"""How training processes are started."""

from __future__ import annotations

from typing import ClassVar

from mlspec.sdk.plugin import Plugin


class Launcher(Plugin):
    """A way to start the processes of a training."""

    slot: ClassVar[str] = "launcher"
    max_processes: ClassVar[int | None] = None
    """Most processes it can start, or None."""
