"""Processes of this machine."""

from __future__ import annotations

from typing import ClassVar

from mlspec.sdk.launcher import Launcher, Work


class Local(Launcher):
    """Trains on this machine: one device in the step's own process, several in a process each.

    They talk over the loopback interface only, and share the machine's threads.
    """

    max_nodes: ClassVar[int | None] = 1

    def start(self, work: Work) -> None:
        """Start the processes, follow them, and let none outlive this one."""
        from mlspec.engine.training.processes import processes

        processes(work)
