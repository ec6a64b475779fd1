"""The wheel is whole: it works in an empty environment, away from the checkout."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = 400


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return next(folder.glob("mlspec-*.whl"))


def test_the_wheel_carries_plugins_presets_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = [*(ROOT / "plugins").glob("*/*.py"), *(ROOT / "conf").rglob("*.yaml")]
    assert shipped
    for file in shipped:
        assert f"mlspec/{file.relative_to(ROOT).as_posix()}" in names
    assert {"mlspec/plugins/__init__.py", "mlspec/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/")) or "__pycache__" in name]


def _csv(path: Path) -> None:
    """Write a small table with a number, a category, gaps and a target that follows from them."""
    draw = random.Random(3)
    lines = ["age,job,hours,bought"]
    for _ in range(ROWS):
        age, job, hours = draw.randint(18, 80), draw.choice(["clerk", "smith", "nurse"]), draw.uniform(1, 60)
        bought = draw.random() < (0.9 if age > 45 and job != "smith" else 0.1)
        lines.append(f"{age if draw.random() > 0.05 else ''},{job},{hours:.1f},{'yes' if bought else 'no'}")
    path.write_text("\n".join(lines) + "\n")


class Away:
    """An empty environment and an empty project, both away from the checkout."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "venv" / "bin" / "python"
        self.project = folder / "project"
        self.project.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=300)

    def pip(self, *words: str) -> None:
        """Install at the versions of constraints.txt."""
        done = subprocess.run(
            [str(self.python), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), *words],
            capture_output=True, text=True, timeout=1800,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]

    def mlspec(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command in the project."""
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MLSPEC_"))
        }
        return subprocess.run(
            [str(self.python.with_name("mlspec")), *words],
            cwd=self.project, capture_output=True, text=True, timeout=600, env=environment,
        )  # fmt: skip

    def ask(self, code: str) -> str:
        """Return what a line of Python prints there."""
        done = subprocess.run(
            [str(self.python), "-c", code], cwd=self.project, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_the_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    away = Away(tmp_path)
    _csv(away.project / "people.csv")

    away.pip(str(wheel))  # the base: language and plan
    assert Path(away.ask("import mlspec; print(mlspec.__file__)")).is_relative_to(tmp_path)
    assert (
        away.ask("import importlib.util as u; print(u.find_spec('torch'), u.find_spec('onnxruntime'))")
        == "None None"
    )
    done = away.mlspec("init", "--from", "people.csv", "--target", "bought")
    assert done.returncode == 0, done.stderr
    assert (away.project / "spec.yaml").is_file()
    done = away.mlspec("plan", "--json")
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout
    assert json.loads(done.stdout)
    done = away.mlspec("run")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "mlspec[" in done.stderr  # and the command that installs what is missing

    away.pip(f"{wheel}[train,serve]")
    done = away.mlspec("run")
    assert done.returncode == 0, done.stdout + done.stderr
    exported = list((away.project / "artifacts").glob("*/export-main/model.onnx"))
    assert len(exported) == 1
    done = away.mlspec("score", "people.csv", "-o", "scores.csv")
    assert done.returncode == 0, done.stderr
    scored = (away.project / "scores.csv").read_text().splitlines()
    assert len(scored) == ROWS + 1
    assert "label" in scored[0]
