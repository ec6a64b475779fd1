"""torch's own launcher on the first of several machines."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlspec.engine.training.joined import joined
from mlspec.engine.training.processes import LOOPBACK
from mlspec.engine.training.threads import threads
from mlspec.sdk.launcher import Shape, Work

HEAD = "#!/usr/bin/env bash\n# Written by `mlspec compile`.\nset -euo pipefail\n"
ENDING = 10.0
"""Seconds that torchrun has to end its processes."""


@dataclass
class Agent:
    """A torchrun of this machine."""

    process: subprocess.Popen[bytes]
    log: Path
    name: str = "torchrun"

    def poll(self) -> int | None:
        """Return its exit status; None while it works."""
        return self.process.poll()

    def gone(self) -> frozenset[int]:
        """Return none: it does not tell which of them ended."""
        return frozenset()

    def end(self) -> None:
        """End it, and with it the processes of this machine."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDING)
        self.process.kill()
        self.process.wait()


def torchrun(work: Work, shape: Shape, address: str, port: int, wait: float) -> None:
    """Start torchrun here, say what to start on the other machines, and follow all processes.

    Args:
        work: What they do.
        shape: On how many machines, and how many devices on each.
        address: This machine, as the others know it.
        port: Of this machine, on which they find each other.
        wait: Seconds in which all of them must have come.
    """
    logs = work.context.logs

    def start(folder: Path) -> Agent:
        log = (folder if logs is None else logs) / "torchrun.txt"
        for node in range(1, shape.nodes):
            words = command(shape, node, address, port, wait)
            work.context.say(
                f"start on machine {node + 1} of {shape.nodes}, in this folder: {shlex.join(words)}"
            )
        words = (
            sys.executable,
            "-P",
            "-m",
            "torch.distributed.run",
            *command(shape, 0, address, port, wait)[1:],
        )
        with open(log, "wb") as file:
            return Agent(
                subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    cwd=work.context.workspace,
                    env=os.environ | _environment(shape, address),
                    # Ctrl-C on a terminal reaches the one that follows, which tells the others.
                    start_new_session=True,
                ),
                log,
            )

    joined(work, start, wait)


def command(shape: Shape, node: int, address: str, port: int, wait: float) -> tuple[str, ...]:
    """Return the words that start a machine's part.

    Args:
        shape: On how many machines, and how many devices on each.
        node: The machine's number, from 0.
        address: The first machine's.
        port: Of the first machine.
        wait: Seconds in which all machines must have come.
    """
    return (
        "torchrun",
        f"--nnodes={shape.nodes}",
        f"--nproc-per-node={shape.devices}",
        f"--node-rank={node}",
        f"--master-addr={address}",
        f"--master-port={port}",
        f"--rdzv-conf=timeout={max(1, round(wait))}",
        "-m",
        "mlspec",
        "step",
        shape.pipeline,
        shape.step,
    )


def _environment(shape: Shape, address: str) -> dict[str, str]:
    environment = {"OMP_NUM_THREADS": str(max(1, threads() // shape.devices))}
    if address in ("127.0.0.1", "localhost", "::1"):
        environment |= {"GLOO_SOCKET_IFNAME": LOOPBACK, "NCCL_SOCKET_IFNAME": LOOPBACK}
    return environment


def scripts(shape: Shape, run: str, address: str | None, port: int, wait: float) -> dict[str, str]:
    """Return a script for each machine: the first does the whole plan, the others take part in its training.

    Args:
        shape: On how many machines, and how many devices on each.
        run: The command that does the whole plan.
        address: The first machine's; asked for when a script runs, where None.
        port: Of the first machine.
        wait: Seconds in which all machines must have come.
    """
    found = {"node-0.sh": f"{HEAD}# On the first machine, in the workspace.\nexec {run}\n"}
    for node in range(1, shape.nodes):
        words = command(shape, node, address or "HERE", port, wait)
        line = shlex.join(words)
        if address is None:
            asked = '"${MASTER_ADDR:?the name or address of the first machine}"'
            line = line.replace("--master-addr=HERE", f"--master-addr={asked}")
        found[f"node-{node}.sh"] = (
            f"{HEAD}# On machine {node + 1} of {shape.nodes}, in the same folder (they share its disk).\n"
            f"exec {line}\n"
        )
    return found
