"""The processes of a training as tasks of a Ray cluster."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.engine.training.joined import joined
from mlspec.engine.training.processes import LOOPBACK
from mlspec.errors import MissingError
from mlspec.sdk.launcher import Shape, Work

STARTING = 120.0
"""Seconds in which the cluster has room for all tasks."""


@dataclass
class Tasks:
    """The tasks that were started."""

    ray: Any
    waiting: list[Any]
    log: Path
    name: str = "Ray"
    status: int | None = None

    def poll(self) -> int | None:
        """Return the exit status of the first that failed, 0 where all are done; None while they work."""
        if self.status is None and self.waiting:
            ended, _ = self.ray.wait(self.waiting, num_returns=len(self.waiting), timeout=0)
            for task in ended:
                self.waiting.remove(task)
                self.status = self.status or _status(self.ray, task, self.log)
            if not self.status:
                self.status = None if self.waiting else 0
        return self.status

    def end(self) -> None:
        """Cancel those that work."""
        for task in self.waiting:
            self.ray.cancel(task, force=True)


def ray_tasks(work: Work, address: str | None, cpus: int) -> None:
    """Start a task for each device and follow them all.

    Args:
        work: What they do.
        address: The cluster's; None: Ray is started here, for this training.
        cpus: Processors a task.

    Raises:
        MissingError: the cluster is not there, or has no room.
    """
    logs = work.context.logs
    with _cluster(work, address, cpus) as ray:

        def start(folder: Path) -> Tasks:
            log = (folder if logs is None else logs) / "ray.txt"
            log.write_bytes(b"")
            return Tasks(ray, _start(ray, work, address, cpus), log)

        joined(work, start)


@contextmanager
def _cluster(work: Work, address: str | None, cpus: int) -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    before = signal.getsignal(signal.SIGTERM)
    here: dict[str, Any] = {"num_cpus": work.processes * cpus, "_node_ip_address": "127.0.0.1"}
    options = here if address is None else {"address": address}
    try:
        ray.init(include_dashboard=False if address is None else None, log_to_driver=False, **options)
    except ConnectionError as fault:
        raise MissingError(
            f"no Ray cluster answers at '{address}'",
            where="hardware.launcher.address",
            fix="look at `ray status`",
        ) from fault
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)  # Ray's own would end this process at once
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(ray: Any, work: Work, address: str | None, cpus: int) -> list[Any]:
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    shape = work.shape
    room = placement_group([{"CPU": cpus} | ({"GPU": 1} if shape.cuda else {})] * work.processes, "PACK")
    if not room.wait(STARTING):
        raise MissingError(
            f"the Ray cluster has no room for {work.processes} tasks of {cpus} CPU"
            f"{' and a GPU' if shape.cuda else ''} each",
            where="hardware.launcher",
            fix="`ray status` tells what it has",
        )

    def task(function: Any, rank: int) -> Any:
        there = PlacementGroupSchedulingStrategy(room, placement_group_bundle_index=rank)
        options = {"num_cpus": cpus, "num_gpus": int(shape.cuda), "scheduling_strategy": there}
        return ray.remote(function).options(max_retries=0, **options)

    host, port = ray.get(task(_address, 0).remote())
    found = {
        "MLSPEC_TAKES_PART": "ray", "WORLD_SIZE": str(work.processes), "MASTER_PORT": str(port),
        "MASTER_ADDR": host, "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "OMP_NUM_THREADS": str(cpus),
    }  # fmt: skip
    if address is None:
        found |= {"GLOO_SOCKET_IFNAME": LOOPBACK, "NCCL_SOCKET_IFNAME": LOOPBACK}
    folder = str(work.context.workspace)
    return [
        task(_part, rank).remote(folder, shape, found | {"RANK": str(rank)}) for rank in range(work.processes)
    ]


def _address() -> tuple[str, int]:
    """Return this machine's address as the cluster knows it, and a free port."""
    import ray

    host = str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
    with socket.socket() as free:
        free.bind((host, 0))
        return host, int(free.getsockname()[1])


def _part(folder: str, shape: Shape, found: Mapping[str, str]) -> int:
    """Do a device's part in a process of its own, and return its exit status."""
    words = [sys.executable, "-P", "-m", "mlspec", "step", shape.pipeline, shape.step]
    # Its stdout and stderr are the task's: it sends what it prints to a file itself.
    return subprocess.run(words, cwd=folder, env=os.environ | found, stdin=subprocess.DEVNULL).returncode


def _status(ray: Any, task: Any, log: Path) -> int:
    try:
        return int(ray.get(task))
    except ray.exceptions.RayError as fault:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{fault}\n")
        return 1
