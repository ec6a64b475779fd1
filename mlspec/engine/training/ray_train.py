"""The processes of a training as the workers of Ray Train."""

from __future__ import annotations

import logging
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mlspec.engine.training.joined import joined
from mlspec.engine.training.processes import LOOPBACK
from mlspec.errors import MissingError
from mlspec.sdk.launcher import Work

ENDING = 20.0
"""Seconds in which Ray Train ends once its workers are gone."""
SET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    # What a worker prints goes to a file of ours, and it works in the workspace.
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_ENABLE_CONTROLLER_STRUCTURED_LOGGING": "0",
    "RAY_TRAIN_ENABLE_WORKER_STRUCTURED_LOGGING": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    # Seconds between two looks at the workers, and until the cluster has room for all of them.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "1",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "120",
}
"""What Ray and Ray Train find in the environment."""


@dataclass
class Fitting:
    """A training that Ray Train runs, followed in a thread of this process."""

    log: Path
    name: str = "Ray Train"
    fault: Exception | None = None
    thread: threading.Thread | None = None

    def run(self, trainer: Any) -> None:
        """Start it."""

        def fit() -> None:
            try:
                trainer.fit()
            except Exception as fault:  # noqa: BLE001 - told where the training is followed
                self.log.write_text("".join(traceback.format_exception(fault)), encoding="utf-8")
                self.fault = fault

        self.thread = threading.Thread(target=fit, name="ray-train", daemon=True)
        self.thread.start()

    def poll(self) -> int | None:
        """Return 1 where it failed, 0 where it is done; None while it works.

        Raises:
            MissingError: no worker could be started.
        """
        assert self.thread is not None
        if self.thread.is_alive():
            return None
        failed = getattr(self.fault, "controller_failure", None)
        if failed is not None:
            raise MissingError(
                f"Ray Train starts no workers: {str(failed).strip()}",
                where="hardware.launcher",
                fix="`ray status` tells what the cluster has",
            ) from self.fault
        return int(self.fault is not None)

    def gone(self) -> frozenset[int]:
        """Return the ranks that Ray Train saw end by themselves; it ends the others for it."""
        return frozenset(getattr(self.fault, "worker_failures", ()))

    def end(self) -> None:
        """Wait until Ray Train has seen that all is over; workers are told so by the order's file."""
        assert self.thread is not None
        self.thread.join(ENDING)


def ray_train(work: Work, address: str | None, cpus: int) -> None:
    """Let Ray Train start a worker for each device, and follow them all.

    Ray Train places the workers, tells each its rank, lets them find each other, and looks whether they
    live. The loop in each is mlspec's own, and so is what is kept of a training that ends.

    Args:
        work: What they do.
        address: The cluster's; None: Ray is started here, for this training.
        cpus: Processors a worker.

    Raises:
        MissingError: the cluster is not there, or has no room.
    """
    logs = work.context.logs
    with _cluster(work, address, cpus):

        def start(folder: Path) -> Fitting:
            found = Fitting((folder if logs is None else logs) / "ray.txt")
            found.log.write_bytes(b"")
            found.run(_trainer(work, folder, address, cpus))
            return found

        joined(work, start)


@contextmanager
def _cluster(work: Work, address: str | None, cpus: int) -> Iterator[None]:
    os.environ.update(SET)
    import ray

    before = signal.getsignal(signal.SIGTERM)
    # A cluster of somebody else's on this machine is not joined.
    here: dict[str, Any] = {
        "address": "local",
        "num_cpus": work.processes * cpus,
        "_node_ip_address": "127.0.0.1",
    }
    options = here if address is None else {"address": address}
    try:
        ray.init(
            include_dashboard=False if address is None else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **options,
        )
    except ConnectionError as fault:
        raise MissingError(
            f"no Ray cluster answers at '{address}'",
            where="hardware.launcher.address",
            fix="look at `ray status`; a cluster that asks for a token needs it here too (RAY_AUTH_TOKEN)",
        ) from fault
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)  # Ray's own would end this process at once
    try:
        yield
    finally:
        ray.shutdown()


def _trainer(work: Work, folder: Path, address: str | None, cpus: int) -> Any:
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.config import FailureConfig, RunConfig, ScalingConfig

    cuda = work.shape.cuda
    found = {"OMP_NUM_THREADS": str(cpus)}
    if address is None:
        found |= {"GLOO_SOCKET_IFNAME": LOOPBACK, "NCCL_SOCKET_IFNAME": LOOPBACK}
    return TorchTrainer(
        _part,
        train_loop_config={"workspace": str(work.context.workspace), "order": str(folder)},
        torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if cuda else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=work.processes,
            use_gpu=cuda,
            resources_per_worker={"CPU": cpus} | ({"GPU": 1} if cuda else {}),
        ),
        run_config=RunConfig(  # type: ignore[arg-type]  # the stub is of its first version
            name="ray",
            # All machines share the order's folder, which goes with the training.
            storage_path=str(folder),
            # A training that failed goes on in the next run, from its checkpoint.
            failure_config=FailureConfig(
                max_failures=0, controller_failure_limit=0, max_preemption_failures=0
            ),
            worker_runtime_env={"env_vars": found},
        ),
    )


def _part(told: Mapping[str, str]) -> None:
    """Do a device's part, in a worker."""
    # By its name, as other processes of a training are started: steps lie above this room.
    import_module("mlspec.steps._worker").work(told)
