"""The script of a Slurm job that trains."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import Protocol

from mlspec.engine.training.seat import SLURM
from mlspec.sdk.fields import seconds
from mlspec.sdk.launcher import Shape

SAVING = 120
"""Seconds before its time limit at which a job is asked to save."""
MIB = 2**20


class Options(Protocol):
    """What a user may say of a job; each text obeys a grammar of its own."""

    @property
    def partition(self) -> str | None:
        """Partitions."""

    @property
    def account(self) -> str | None:
        """Who is charged."""

    @property
    def qos(self) -> str | None:
        """Quality of service."""

    @property
    def time(self) -> str | None:
        """Time limit, a duration."""

    @property
    def memory(self) -> int | None:
        """Bytes a node."""

    @property
    def cpus(self) -> int:
        """Processors a process."""

    @property
    def gpu(self) -> str | None:
        """Sort of device."""

    @property
    def constraint(self) -> str | None:
        """Features of nodes."""

    @property
    def modules(self) -> tuple[str, ...]:
        """Environment modules."""


def slurm_script(shape: Shape, options: Options) -> str:
    """Return the script.

    Args:
        shape: On how many nodes, and how many devices on each.
        options: What the user says of the job.

    Source: https://slurm.schedmd.com/sbatch.html
    """
    lines = ["#!/usr/bin/env bash"]
    lines += [f"#SBATCH --{word}" for word in _asked(shape, options)]
    lines += [
        "# `mlspec run` submits this and follows it: the processes do what it ordered.",
        "set -eo pipefail",
    ]
    lines += [f"module load {shlex.quote(module)}" for module in options.modules]
    lines += [f"export {name}={value}" for name, value in SLURM.items()]
    lines += _found(shape)
    lines.append(f"export OMP_NUM_THREADS={options.cpus} SRUN_CPUS_PER_TASK={options.cpus}")
    words = (sys.executable, "-P", "-m", "mlspec", "step", shape.pipeline, shape.step)
    # One that fails must not leave the others waiting for it.
    lines.append(f"exec srun --kill-on-bad-exit=1 {shlex.join(words)}")
    return "".join(f"{line}\n" for line in lines)


def _asked(shape: Shape, options: Options) -> Iterator[str]:
    yield f"job-name={shape.pipeline}.{shape.step}"
    yield f"nodes={shape.nodes}"
    yield f"ntasks-per-node={shape.devices}"
    yield f"cpus-per-task={options.cpus}"
    if shape.cuda:
        sort = "" if options.gpu is None else f"{options.gpu}:"
        yield f"gpus-per-node={sort}{shape.devices}"
    for name in ("partition", "account", "qos", "constraint"):
        value = getattr(options, name)
        if value is not None:
            yield f"{name}={value}"
    if options.time is not None:
        whole = max(1, round(seconds(options.time)))
        yield f"time={whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if options.memory is not None:
        yield f"mem={-(-options.memory // MIB)}M"
    yield f"output=artifacts/{shape.pipeline}/logs/{shape.step}/slurm.txt"
    # A job that Slurm starts again would train for nobody: the next run goes on from the saved state.
    yield "no-requeue"
    yield f"signal=TERM@{SAVING}"


def _found(shape: Shape) -> Iterator[str]:
    """Give the lines that say where the processes find each other."""
    if shape.nodes == 1:
        yield "export MASTER_ADDR=127.0.0.1 GLOO_SOCKET_IFNAME=lo NCCL_SOCKET_IFNAME=lo"
    else:
        yield 'hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")'
        yield "export MASTER_ADDR=${hosts%%$'\\n'*}"
    # Jobs that share a node must not meet: their numbers follow each other.
    yield "export MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))"
