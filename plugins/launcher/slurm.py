"""A job of a Slurm cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field

from mlspec.sdk.fields import Duration, Sized
from mlspec.sdk.launcher import Launcher, Problem, Shape, Work

Word = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Words = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,-]*$")]
Feature = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.&|-]*$")]
Module = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./+-]*$")]


class Slurm(Launcher):
    """Trains in a job of a Slurm cluster whose nodes share this folder.

    `mlspec run` on a login node does everything else, submits the job, follows it and brings back its end.
    Each device has a task. Two minutes before its time is over the job saves its state, and the next run goes
    on from there.
    """

    elsewhere: ClassVar[bool] = True

    partition: Words | None = None
    """Partition, or several with commas; the cluster's default where nothing is said."""
    account: Word | None = None
    """Account that is charged."""
    qos: Word | None = None
    """Quality of service."""
    time: Duration | None = None
    """Time limit of the job; the partition's where nothing is said."""
    memory: Annotated[int, Sized("1MiB", "100TiB")] | None = None
    """Memory a node, in bytes or as a size such as `64GiB`; the partition's default where nothing is said."""
    cpus: Annotated[int, Field(ge=1, le=1024)] = 1
    """Number of processors a process; its threads are as many."""
    gpu: Word | None = None
    """Sort of CUDA device, such as `a100`; any where nothing is said."""
    constraint: Feature | None = None
    """Features that nodes must have."""
    modules: tuple[Module, ...] = ()
    """Environment modules that are loaded first."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that says everything."""
        options = {
            "partition": "gpu", "account": "team_a", "qos": "normal", "time": "12h", "memory": "64GiB",
            "cpus": 4, "gpu": "a100", "constraint": "nvlink", "modules": ["cuda/12.4"],
        }  # fmt: skip
        return (cls.revive(options),)

    def problems(self, accelerator: str) -> Iterator[Problem]:
        """Give an accelerator that the job cannot ask for, or does not."""
        if accelerator == "auto":
            yield Problem(
                "a job must ask for its devices, and 'auto' is known only where it runs",
                "set hardware.accelerator: cuda, or cpu",
            )
        elif accelerator == "cpu" and self.gpu is not None:
            yield Problem(
                f"'hardware.launcher.gpu' asks for '{self.gpu}', and hardware.accelerator is 'cpu'",
                "set hardware.accelerator: cuda, or remove it",
                "gpu",
            )

    def start(self, work: Work) -> None:
        """Submit the job and follow it."""
        from mlspec.engine.training.slurm import slurm

        slurm(work, self.script(work.shape))

    def scripts(self, shape: Shape, run: str) -> Mapping[str, str]:
        """Return the job's script; `mlspec run` submits it."""
        return {"train.sbatch": self.script(shape)}

    def script(self, shape: Shape) -> str:
        """Return the job's script."""
        from mlspec.engine.training.slurm_script import slurm_script

        return slurm_script(shape, self)
