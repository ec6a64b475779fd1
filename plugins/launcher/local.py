"""The process that is already there."""

from __future__ import annotations

from typing import ClassVar

from mlspec.sdk.launcher import Launcher


class Local(Launcher):
    """Trains in the process that runs the step."""

    max_processes: ClassVar[int | None] = 1
