"""What is missing here is told before any work, with the command that brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
apiVersion: mlspec/v1
name: lacking
data:
  source: {kind: sample, name: wine}
  target: {column: target, kind: category}
  features: auto
model: mlp
deployments:
  online: {kind: rest}
"""


def mlspec(folder: Path, *words: str, without: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in a child where some packages cannot be found or imported."""
    code = (
        "import importlib.machinery as machinery, sys\n"
        "found = machinery.PathFinder.find_spec\n"
        f"lacking = {without.split()!r}\n"
        "machinery.PathFinder.find_spec = lambda name, *more: "
        "None if name.partition('.')[0] in lacking else found(name, *more)\n"
        "from mlspec.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


@pytest.mark.parametrize(
    ("without", "fix"),
    [
        ("torch", "pip install 'mlspec[train]'"),
        ("starlette", "pip install 'mlspec[serve]'"),
        ("torch starlette", "pip install 'mlspec[train,serve]'"),
    ],
)
def test_a_run_stops_before_its_first_step(here: Path, without: str, fix: str) -> None:
    done = mlspec(here, "run", without=without)
    assert done.returncode == 3, done.stderr
    assert fix in done.stderr and f"'{without.split()[0]}'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(here.glob("artifacts/*/ingest")) and not list(here.glob("contracts/*"))


@pytest.mark.parametrize("words", [["validate"], ["plan"], ["why", "model"]], ids=" ".join)
def test_a_spec_can_be_read_and_planned_all_the_same(here: Path, words: list[str]) -> None:
    done = mlspec(here, *words, without="torch starlette onnxruntime bentoml")
    assert done.returncode == 0, done.stderr


def test_doctor_names_what_is_missing(here: Path) -> None:
    done = mlspec(here, "doctor", without="torch")
    assert "torch" in done.stdout + done.stderr and "mlspec[train]" in done.stdout + done.stderr
