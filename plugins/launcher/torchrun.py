"""Processes of several machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field

from mlspec.sdk.fields import Duration, seconds
from mlspec.sdk.launcher import Launcher, Shape, Work

HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"


class Torchrun(Launcher):
    """Trains on several machines that share this folder: torch's own `torchrun` on each.

    `mlspec run` on the first machine does everything else, starts its own part, and tells the command to
    start on each of the others. What they talk is neither encrypted nor asked who it is: the machines belong
    on a network of their own.
    """

    address: Annotated[str, Field(max_length=253, pattern=HOST)] | None = None
    """The first machine's name or address, as the others know it; its own name where nothing is said."""
    port: int = Field(default=29500, ge=1024, le=65535)
    """Port of the first machine on which they find each other."""
    wait: Duration = "10m"
    """The time that the first machine waits for the others."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that says everything."""
        return (cls.revive({"address": "node-a", "port": 29600, "wait": "30m"}),)

    def start(self, work: Work) -> None:
        """Start this machine's part, tell the others', and follow them all."""
        import socket

        from mlspec.engine.training.torchrun import torchrun

        torchrun(work, work.shape, self.address or socket.gethostname(), self.port, seconds(self.wait))

    def scripts(self, shape: Shape, run: str) -> Mapping[str, str]:
        """Return a script for each machine."""
        from mlspec.engine.training.torchrun import scripts

        return scripts(shape, run, self.address, self.port, seconds(self.wait))
