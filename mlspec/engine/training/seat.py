"""The place that torchrun or a cluster gave this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

SLURM = {"MLSPEC_TAKES_PART": "slurm"}
"""What a job's script sets, so that a user's own job that calls mlspec is not taken for a part of another."""


@dataclass(frozen=True)
class Seat:
    """One process's place among all that were started."""

    rank: int
    """Its number, from 0."""
    ranks: int
    """How many there are."""
    local: int
    """Its number on its machine, from 0."""
    here: int
    """How many there are on its machine."""


def seat(environment: Mapping[str, str] = os.environ) -> Seat | None:
    """Return the place that this process was given; None where it was not started to take part.

    Raises:
        ValueError: what was started tells no whole numbers.

    Example:
        >>> seat({"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0"})
        Seat(rank=1, ranks=2, local=0, here=1)
    """
    if "TORCHELASTIC_RUN_ID" in environment:
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        here = int(environment.get("LOCAL_WORLD_SIZE", "1"))
    elif SLURM.items() <= environment.items() and "SLURM_PROCID" in environment:
        names = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")
        here = int(environment["SLURM_NTASKS"]) // int(environment["SLURM_NNODES"])
    else:
        return None
    rank, ranks, local = (int(environment[name]) for name in names)
    return Seat(rank, ranks, local, here)
