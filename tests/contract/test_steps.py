"""Every step writes the same bytes again: elsewhere, with other hash seeds, by `dvc repro`."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """\
apiVersion: mlspec/v1
name: shop
seed: 3
data:
  source: {kind: csv, path: rows.csv}
  key: [id]
  weight: w
  target: {column: y, kind: KIND POSITIVE}
  features:
    a: number
    b: {kind: number, impute: median}
    colour: {kind: category, min_count: 2}
    member: binary
    seen: {kind: datetime, timezone: UTC}
  split: {kind: random, train: 0.6, val: 0.2, test: 0.2}
validation:
  rules:
    - {kind: not_null, columns: [a]}
    - {kind: in_range, column: a, low: -10, high: 10, severity: warn}
model: {kind: MODEL}
TRAINING
evaluation: {slices: [colour]}
deployments:
  online: {kind: rest}
"""


def write_data(folder: Path) -> None:
    chance = random.Random(5)
    lines = ["id,w,a,b,colour,member,seen,y"]
    for row in range(400):
        a, b = chance.gauss(0, 1), chance.gauss(0, 1)
        colour, member = chance.choice(["red", "green", "blue", "", "é"]), chance.choice(["yes", "no", ""])
        seen = (
            f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}T{chance.randint(0, 23):02d}:00:00"
        )
        level = a + (colour == "red") + chance.gauss(0, 0.3)
        label = ("low" if level < 0 else "high") if chance.random() < 0.98 else "high"
        gap = "" if chance.random() < 0.1 else f"{b:.4f}"
        lines.append(f"{row},{chance.choice([1, 2])},{a:.4f},{gap},{colour},{member},{seen},{label}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")


def make(folder: Path, model: str) -> Path:
    folder.mkdir(parents=True)
    write_data(folder)
    torch = "training: {epochs: 2, batch_size: 64, early_stopping: {metric: auroc, patience: 2}}"
    text = SPEC.replace("KIND POSITIVE", "binary, positive: high").replace("MODEL", model)
    text = text.replace("TRAINING", "" if model == "gradient_boosting" else torch)
    (folder / "spec.yaml").write_text(text)
    return folder


def environment(site: Path, seed: int) -> dict[str, str]:
    names = ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR")
    own = {name: str(site / f"{seed}" / name.lower()) for name in names}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, **own, "PYTHONHASHSEED": str(seed), "PATH": path, "DVC_NO_ANALYTICS": "1"}


def sh(*words: str, cwd: Path, env: dict[str, str]) -> None:
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"


def outputs(folder: Path) -> dict[str, str]:
    """Return a hash of every file that is an output or is committed; logs and build folders are neither,
    and the record of a run tells of clocks.
    """
    found = {}
    for file in sorted((folder / "artifacts").rglob("*")) + sorted((folder / "pipelines").rglob("*")):
        name = file.relative_to(folder)
        if file.is_file() and not {"logs", "build", "run.json"} & {*name.parts[2:3]}:
            found[name.as_posix()] = hashlib.sha256(file.read_bytes()).hexdigest()
    contract = folder / "contracts/shop.yaml"
    return {**found, "contract": hashlib.sha256(contract.read_bytes()).hexdigest()}


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gradient_boosting", "linear", "mlp"])
def test_two_runs_in_different_folders_write_the_same_bytes(tmp_path, model):
    one, other = make(tmp_path / "one", model), make(tmp_path / "a longer name" / "other", model)
    sh("mlspec", "run", cwd=one, env=environment(tmp_path / "site", 1))
    sh("mlspec", "run", str(other / "spec.yaml"), cwd=tmp_path, env=environment(tmp_path / "site", 2))
    first, second = outputs(one), outputs(other)
    assert [name for name in first if first[name] != second.get(name)] == []
    assert set(first) == set(second)
    steps = {name.split("/")[2] for name in first if name.startswith("artifacts/")}
    assert steps == {
        "ingest", "validate", "prepare", "plan", "train", "export-main", "evaluate-main", "gate",
        "package-online",
    }  # fmt: skip


@pytest.mark.slow
def test_dvc_repro_writes_the_same_bytes_as_a_run(tmp_path):
    one, other = make(tmp_path / "one", "mlp"), make(tmp_path / "other", "mlp")
    env = environment(tmp_path / "site", 1)
    sh("mlspec", "run", cwd=one, env=env)
    sh("mlspec", "run", "--until", "ingest", cwd=other, env=env)
    (other / "contracts").mkdir()
    (other / "contracts/shop.yaml").write_bytes((one / "contracts/shop.yaml").read_bytes())
    sh("dvc", "repro", "pipelines/shop/dvc.yaml", cwd=other, env=env)
    assert outputs(one) == outputs(other)


def test_no_machine_path_is_in_an_output(tmp_path):
    folder = make(tmp_path / "sought", "gradient_boosting")
    sh("mlspec", "run", cwd=folder, env=environment(tmp_path / "site", 1))
    found = [
        name
        for name in outputs(folder)
        if name != "contract" and str(tmp_path).encode() in (folder / name).read_bytes()
    ]
    assert found == []
