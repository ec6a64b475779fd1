"""Processes that train one model together: who takes which rows, and what they tell each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlspec.engine.training.check_devices import check_devices
from mlspec.errors import MissingError
from mlspec.sdk.strategy import Accelerator


@dataclass(frozen=True)
class Group:
    """One process's place among those of a training; alone where nothing else is said."""

    rank: int = 0
    """This process's number, from 0. Rank 0 writes; the others write nothing."""
    ranks: int = 1
    """How many there are."""
    store: Path | None = None
    """The file on which they find each other: new, and of this training alone. None: the environment names
    an address (MASTER_ADDR, MASTER_PORT).
    """
    local: int | None = None
    """This process's number on its machine; as `rank` where None: all are on one."""
    here: int | None = None
    """How many are on its machine; all where None."""
    among: Any = None
    """torch's group of these processes; all that there are where None."""

    @property
    def device(self) -> int:
        """Return the number of this process's device on its machine."""
        return self.rank if self.local is None else self.local

    @property
    def devices(self) -> int:
        """Return how many devices the processes of this machine have."""
        return self.ranks if self.here is None else self.here

    def apart(self, alike: int) -> Group:
        """Return this process's place among those that have other rows than it has; all must ask.

        Args:
            alike: How many processes, one after the other, have the same rows.
        """
        if alike == 1 or self.ranks == 1:
            return self
        if alike == self.ranks:
            return Group()
        parts = [range(first, self.ranks, alike) for first in range(alike)]
        groups = [torch.distributed.new_group(list(part)) for part in parts]
        return replace(
            self,
            rank=self.rank // alike,
            ranks=self.ranks // alike,
            local=self.device,
            here=self.devices,
            among=groups[self.rank % alike],
        )

    def share(self, rows: int, rank: int | None = None) -> slice:
        """Return the part of some rows that a rank takes: all parts together are the rows, in order.

        Args:
            rows: How many there are.
            rank: Whose part; this process's where None.

        Example:
            >>> [Group(rank, 2).share(5) for rank in (0, 1)]
            [slice(0, 2, None), slice(2, 5, None)]
        """
        rank = self.rank if rank is None else rank
        return slice(rank * rows // self.ranks, (rank + 1) * rows // self.ranks)

    def count(self, rows: int, rank: int | None = None) -> int:
        """Return how many of some rows a rank takes."""
        part = self.share(rows, rank)
        return int(part.stop - part.start)

    def sums(self, *values: float) -> tuple[float, ...]:
        """Return each value's sum over all ranks; every rank gets the same."""
        if self.ranks == 1:
            return values
        told = torch.tensor(values, dtype=torch.float64)
        torch.distributed.all_reduce(told, group=self.among)
        return tuple(told.tolist())

    def first(self, *values: float) -> tuple[float, ...]:
        """Return what rank 0 gave."""
        if self.ranks == 1:
            return values
        told = torch.tensor(values, dtype=torch.float64)
        torch.distributed.broadcast(told, group=self.among, group_src=0)
        return tuple(told.tolist())

    def joined(self, part: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
        """Return the rows of all ranks' parts, in order.

        Args:
            part: `[share, width] float32`, this rank's.
            rows: How many there are in all.
        """
        if self.ranks == 1:
            return part
        counts = [self.count(rows, rank) for rank in range(self.ranks)]
        padded = torch.zeros((max(counts), part.shape[1]))
        padded[: len(part)] = torch.from_numpy(part)
        parts = [torch.empty_like(padded) for _ in counts]
        torch.distributed.all_gather(parts, padded, group=self.among)
        return np.concatenate([one[:count].numpy() for one, count in zip(parts, counts, strict=True)])

    @contextmanager
    def together(self, accelerator: Accelerator) -> Iterator[None]:
        """Find the other ranks, and leave them in the end; alone there is nobody to find.

        Where something else let the processes find each other, they stay together as they are.
        """
        if self.ranks == 1:
            yield
            return
        check_devices(accelerator, self.devices)
        from torch import distributed

        if accelerator == "cuda":
            torch.cuda.set_device(self.device)
        if distributed.is_initialized():
            self._alike(accelerator)
            yield
            return
        distributed.init_process_group(
            "gloo" if accelerator == "cpu" else "cpu:gloo,cuda:nccl",
            init_method="env://" if self.store is None else None,
            store=None if self.store is None else distributed.FileStore(str(self.store), self.ranks),  # type: ignore[attr-defined]
            rank=self.rank,
            world_size=self.ranks,
        )
        self._alike(accelerator)
        # Not left where the work failed: leaving can wait for ranks that are gone, and the process ends.
        yield
        distributed.destroy_process_group()

    def _alike(self, accelerator: Accelerator) -> None:
        """Refuse processes of which some have a CUDA device and some have none."""
        (cuda,) = self.sums(accelerator == "cuda")
        if 0 < cuda < self.ranks:
            raise MissingError(
                f"{cuda:.0f} of {self.ranks} processes have a CUDA device, and the others have none",
                where="hardware.accelerator",
                fix="set hardware.accelerator: cpu, or start all of them on machines with a CUDA device",
            )
