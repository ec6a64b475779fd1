"""Workers of Ray Train on the machines of a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field

from mlspec.sdk.launcher import Launcher, Problem, Shape, Work


class Ray(Launcher):
    """Trains by Ray Train on a Ray cluster whose machines share this folder, a worker for each device.

    Without an address Ray is started on this machine alone, for this training, and talks over loopback.
    """

    requires: ClassVar[Mapping[str, str]] = {"ray": "ray"}
    elsewhere: ClassVar[bool] = True

    address: (
        Annotated[
            str, Field(max_length=253, pattern=r"^(ray://)?[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{1,5}$|^auto$")
        ]
        | None
    ) = None
    """A cluster's `host:port`, or `auto` on one of its machines; this machine alone where nothing is said."""
    cpus: Annotated[int, Field(ge=1, le=1024)] = 1
    """Number of processors a worker; its threads are as many."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that says everything."""
        return (cls.revive({"address": "head:6379", "cpus": 4}),)

    def problems(self, accelerator: str) -> Iterator[Problem]:
        """Give an accelerator that the workers cannot ask for."""
        if accelerator == "auto":
            yield Problem(
                "a worker must ask for its device, and 'auto' is known only where it runs",
                "set hardware.accelerator: cuda, or cpu",
            )

    def start(self, work: Work) -> None:
        """Let Ray Train start the workers, and follow them."""
        from mlspec.engine.training.ray_train import ray_train

        ray_train(work, self.address, self.cpus)

    def scripts(self, shape: Shape, run: str) -> Mapping[str, str]:
        """Return what is started on a machine of the cluster."""
        head = "#!/usr/bin/env bash\n# Written by `mlspec compile`.\nset -euo pipefail\n"
        told = f"# {shape.nodes * shape.devices} workers of Ray Train, each with {self.cpus} CPU"
        told += " and a GPU" if shape.cuda else ""
        place = "# In the workspace, on a machine of the cluster: all of them share this folder.\n"
        return {"ray.sh": f"{head}{told}.\n{place}exec {run}\n"}
