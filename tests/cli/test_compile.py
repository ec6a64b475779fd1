"""`mlspec compile`: what would start a training elsewhere."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlspec.cli.main import main

SPEC = """\
apiVersion: mlspec/v1
name: two
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number, town: category}
model: {kind: mlp, hidden: [8]}
hardware: {nodes: 3, devices: 2, strategy: {kind: ddp}, launcher: {kind: torchrun, wait: 2m}}
"""
LAST = """\
#!/usr/bin/env bash
# Written by `mlspec compile`.
set -euo pipefail
# On machine 3 of 3, in the same folder (they share its disk).
exec torchrun --nnodes=3 --nproc-per-node=2 --node-rank=2 \
--master-addr="${MASTER_ADDR:?the name or address of the first machine}" \
--master-port=29500 --rdzv-conf=timeout=120 -m mlspec step two train
"""


JOB = """\
#!/usr/bin/env bash
#SBATCH --job-name=two.train
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-node=a100:2
#SBATCH --partition=gpu,long
#SBATCH --account=team_a
#SBATCH --qos=normal
#SBATCH --constraint=nvlink
#SBATCH --time=12:30:00
#SBATCH --mem=65536M
#SBATCH --output=artifacts/two/logs/train/slurm.txt
#SBATCH --no-requeue
#SBATCH --signal=TERM@120
# `mlspec run` submits this and follows it: the processes do what it ordered.
set -eo pipefail
module load cuda/12.4
export MLSPEC_TAKES_PART=slurm
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
export MASTER_ADDR=${hosts%%$'\\n'*}
export MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
export OMP_NUM_THREADS=4 SRUN_CPUS_PER_TASK=4
exec srun --kill-on-bad-exit=1 PYTHON -P -m mlspec step two train
"""
OPTIONS = (
    "{kind: slurm, partition: 'gpu,long', account: team_a, qos: normal, time: 750m, memory: 64GiB, cpus: 4, "
    "gpu: a100, constraint: nvlink, modules: [cuda/12.4]}"
)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def checked(folder: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is missing: apt-get install shellcheck")
    subprocess.run(
        ["shellcheck", "--severity=style", "--exclude=SC2016", *map(str, folder.iterdir())], check=True
    )


def test_a_script_for_each_machine(spec: Path) -> None:
    assert (
        main(["compile", "--target", "torchrun", "-o", "scripts", "training.epochs=3", "x-note='$(reboot)'"])
        == 0
    )
    assert sorted(file.name for file in (spec / "scripts").iterdir()) == [
        "node-0.sh",
        "node-1.sh",
        "node-2.sh",
    ]
    assert (spec / "scripts" / "node-2.sh").read_text() == LAST
    assert (spec / "scripts" / "node-0.sh").read_text().splitlines()[-1] == (
        r"""exec mlspec run training.epochs=3 'x-note='"'"'$(reboot)'"'"''"""
    )
    checked(spec / "scripts")
    assert not (spec / ".mlspec").exists() and not (spec / "pipelines").exists()


def test_a_job(spec: Path) -> None:
    overrides = [f"hardware.launcher={OPTIONS}", "hardware.accelerator=cuda"]
    assert main(["compile", "--target", "slurm", "-o", "job", *overrides]) == 0
    text = (spec / "job" / "train.sbatch").read_text()
    assert text.replace(shlex.quote(sys.executable), "PYTHON") == JOB
    checked(spec / "job")
    assert main(["compile", "--target", "slurm", "-o", "job", "hardware={accelerator: cpu, nodes: 1}"]) == 0
    assert "gpus" not in (spec / "job" / "train.sbatch").read_text()
    checked(spec / "job")


def test_workers_of_ray_train(spec: Path) -> None:
    words = ["hardware.launcher={kind: ray, cpus: 4}", "hardware.accelerator=cuda"]
    assert main(["compile", "--target", "ray", "-o", "tasks", *words]) == 0
    lines = (spec / "tasks" / "ray.sh").read_text().splitlines()
    assert "# 6 workers of Ray Train, each with 4 CPU and a GPU." in lines
    assert lines[-1].startswith("exec mlspec run 'hardware.launcher={kind: ray, cpus: 4}'")
    checked(spec / "tasks")


def test_the_target_is_taken_before_the_spec_is_judged(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local = SPEC.replace("nodes: 3, devices: 2, ", "").replace(", launcher: {kind: torchrun, wait: 2m}", "")
    (spec / "spec.yaml").write_text(local)
    assert main(["compile", "--target", "torchrun", "hardware.nodes=2"]) == 0
    first, second = capsys.readouterr().out.split("# ---- ")[1:]
    assert "exec mlspec run hardware.nodes=2 'hardware.launcher={kind: torchrun}'" in first
    assert "--nnodes=2" in second
    assert main(["compile", "--target", "torchrun", "hardware.nodez=2"]) == 2
    assert "did you mean 'nodes'" in capsys.readouterr().err


def test_it_is_printed_and_a_name_is_asked_for_its_launcher(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", "--target", "torchrun", "hardware.launcher.address=node-a"]) == 0
    printed = capsys.readouterr().out
    assert "# ---- node-1.sh\n" in printed and "--master-addr=node-a " in printed
    assert main(["compile", "--json", "--target", "torchrun", "hardware={nodes: 1, devices: 2}"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert list(files) == ["node-0.sh"]
    assert main(["compile", "--target", "local"]) == 2
    assert "there are no scripts for 'local'" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["a b", "a;reboot", "$(reboot)", "-x", "a\nb"])
def test_nothing_of_a_spec_becomes_a_command(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    override = f"hardware.launcher.address={json.dumps(address)}"
    assert main(["compile", "--target", "torchrun", override]) == 2
    assert "hardware.launcher.address" in capsys.readouterr().err
