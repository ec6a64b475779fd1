"""A Slurm cluster of one node, of this machine alone: Debian's slurm-wlm and munge."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NEEDED = ("sbatch", "srun", "scontrol", "slurmctld", "slurmd", "munged")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start it, and give the environment in which Slurm's commands find it; nothing of it outlives this."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [name for name in NEEDED if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"{missing[0]} is missing: apt-get install slurm-wlm munge")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    text = CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0], folder=folder, user=getpass.getuser(), ports=_ports(),
        cpus=max(2, os.cpu_count() or 2),
    )  # fmt: skip
    (folder / "slurm.conf").write_text(text)
    environment = os.environ | {"PATH": path, "SLURM_CONF": str(folder / "slurm.conf")}
    files = [f"--{name}={folder / f'munge.{name}'}" for name in ("socket",)]
    files += [f"--key-file={key}", f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log"]
    files += [f"--seed-file={folder}/munge.seed"]
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for words in (
            ["munged", "--foreground", "--force", *files],
            ["slurmctld", "-D", "-f", environment["SLURM_CONF"]],
            ["slurmd", "-D", "-f", environment["SLURM_CONF"]],
        ):
            log = open(folder / f"{words[0]}.txt", "wb")  # noqa: SIM115 - the daemon's own from here
            daemons.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))
            log.close()
            if words[0] == "munged":
                _until(lambda: (folder / "munge.socket").exists(), folder)
        _until(
            lambda: b"idle" in subprocess.run(["sinfo"], env=environment, capture_output=True).stdout, folder
        )
        yield environment
    finally:
        subprocess.run(["scancel", "--user", getpass.getuser()], env=environment, timeout=20, check=False)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _told(word: str, environment: dict[str, str]) -> bytes:
    return subprocess.run([word], env=environment, capture_output=True, timeout=20).stdout


def _until(is_true: Callable[[], bool], folder: Path) -> None:
    until = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < until, "\n".join(
            f"{file.name}: {file.read_text()[-500:]}" for file in folder.glob("*.txt")
        )
        time.sleep(0.2)


def _ports() -> tuple[int, int]:
    """Return two free ports."""
    with socket.socket() as one, socket.socket() as two:
        for free in (one, two):
            free.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]
