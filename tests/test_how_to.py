"""The pages of docs/how_to are followed: their code goes into a scratch project, and their command is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pyarrow import csv, feather

from mlspec import registry

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "how_to"
SPEC = """\
apiVersion: mlspec/v1
name: people
seed: 1
data:
  source: {kind: csv, path: people.csv}
  key: [person]
  event_time: {column: seen}
  target: {column: bought, kind: binary, positive: "yes"}
  features: {age: number, job: category}
model: {kind: linear}
training: {epochs: 30, batch_size: 64, optimizer: {kind: adamw, lr: 0.05}}
evaluation: {metrics: [accuracy, auroc]}
deployments:
  online: {kind: rest}
monitoring:
  monitors:
    live: {kind: whylogs, of: online}
"""
USES = {
    "model": "model={kind: KIND}",
    "loss": "training.loss={kind: KIND}",
    "calibration": "training.calibration={kind: KIND}",
    "optimizer": "training.optimizer={kind: KIND, lr: 0.01}",
    "schedule": "training.schedule={kind: KIND}",
    "strategy": "hardware.strategy={kind: KIND}",
    "launcher": "hardware={accelerator: cpu, devices: 2, strategy: {kind: ddp}, launcher: {kind: KIND}}",
    "feature": "data.features.age={kind: KIND}",
    "monitor": "monitoring.monitors.live={kind: KIND, of: online}",
}
"""What takes the new kind into the spec, for pages that show no command of their own."""


def _code(page: str) -> list[str]:
    """Return the blocks of Python on a page, those inside list items as well."""
    found = re.findall(r"^( *)```python\n(.*?)^\1```", page, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(body) for _, body in found]


def _kind(code: str) -> str:
    """Return the file's name for the plug-in class in a block: `OneCycle` is `one_cycle`."""
    name = re.search(r"^class (\w+)\(", code, re.MULTILINE)
    assert name, code
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name[1]).lower()


def _commands(page: str) -> list[list[str]]:
    """Return the `mlspec run` and `mlspec validate` commands of a page."""
    lines = re.findall(r"^ +(?:\$ )?mlspec ((?:run|validate)\b.*)$", page, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def _checks(page: str) -> list[list[str]]:
    """Return the `mlspec plugins ... --check` commands of a page."""
    lines = re.findall(r"^ +(?:\$ )?mlspec (plugins \S+ \S+ --check)$", page, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def _people(path: Path) -> None:
    lines = ["person,age,job,seen,bought"]
    for row in range(300):
        age, job = 20 + row * 7 % 60, ("clerk", "smith", "nurse")[row % 3]
        bought = "yes" if (age > 45) != (row % 50 == 0) else "no"
        lines.append(f"p{row},{age},{job},2024-01-{1 + row % 28:02d}T10:00:00Z,{bought}")
    path.write_text("\n".join(lines) + "\n")


def _mlspec(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlspec", *words],
        cwd=folder, capture_output=True, text=True, timeout=500,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / ".config")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_slot_has_a_page_and_the_index_names_it() -> None:
    index = (PAGES / "README.md").read_text()
    for slot in registry.SLOTS:
        assert (PAGES / f"add_a_{slot}.md").is_file(), slot
        assert f"(add_a_{slot}.md)" in index, slot


@pytest.mark.slow
@pytest.mark.parametrize("slot", registry.SLOTS)
def test_the_page_can_be_followed(slot: str, tmp_path: Path) -> None:
    page = (PAGES / f"add_a_{slot}.md").read_text()
    kind = _kind(_code(page)[0])
    assert kind not in registry.kinds(slot), f"the page shows '{kind}', which is there already"
    folder = tmp_path / "plugins" / slot
    folder.mkdir(parents=True)
    (folder / f"{kind}.py").write_text(_code(page)[0])
    for sibling in re.findall(rf"`plugins/{slot}/(_\w+)\.py`:", page):
        (folder / f"{sibling}.py").write_text(_code(page)[1])
    (tmp_path / "spec.yaml").write_text(SPEC)
    _people(tmp_path / "people.csv")
    feather.write_feather(csv.read_csv(tmp_path / "people.csv"), tmp_path / "people.feather")
    _mlspec(tmp_path, "trust")
    commands = _commands(page) or [["run", USES[slot].replace("KIND", kind)]]
    for command in commands:
        assert kind in " ".join(command)
        _mlspec(tmp_path, *command)
    # A model's takes minutes: tests/cli/test_checked.py follows it.
    for command in _checks(page) if slot != "model" else ():
        assert command[1:3] == [slot, kind]
        _mlspec(tmp_path, *command)
    plans = "".join(file.read_text() for file in (tmp_path / "pipelines").rglob("plan.yaml"))
    assert f"kind: {kind}" in plans or slot == "monitor"  # a monitor changes no result and is no parameter
