"""`mlspec compile`: what would start a training elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
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


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def checked(folder: Path) -> None:
    assert shutil.which("shellcheck"), "apt-get install shellcheck"
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


def test_it_is_printed_and_a_name_is_asked_for_its_launcher(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", "--target", "torchrun", "hardware.launcher.address=node-a"]) == 0
    printed = capsys.readouterr().out
    assert "# ---- node-1.sh\n" in printed and "--master-addr=node-a " in printed
    assert main(["compile", "--json", "--target", "torchrun", "hardware={nodes: 1, devices: 1}"]) == 0
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
