"""The house keeps its own rules: light words stay light, and a file's name is its public name."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
HEAVY = set(LINT["flake8-tidy-imports"]["banned-module-level-imports"])
SPEC = """\
apiVersion: mlspec/v1
name: tumours
data:
  source: {kind: sample, name: breast_cancer}
  target: {column: target, kind: binary}
  features: auto
model: {kind: mlp, hidden: [8]}
deployments:
  online: {kind: rest}
"""


def _loaded(words: list[str], folder: Path) -> set[str]:
    """Return the heavy modules that a child process holds after a command."""
    code = (
        "import sys\n"
        "from mlspec.cli.main import entry\n"
        f"sys.argv = ['mlspec', *{words!r}]\n"
        "try:\n    status = entry()\n"
        "except SystemExit as stop:\n    status = stop.code\n"
        "loaded = [name for name in sys.modules if '.' not in name]\n"
        "print('STATUS', status or 0, 'LOADED', *loaded, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    last = done.stderr.strip().splitlines()[-1].split()
    assert last[:3] == ["STATUS", "0", "LOADED"], done.stdout + done.stderr
    return set(last[3:]) & HEAVY


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["plugins"]], ids=" ".join)
def test_a_light_word_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    assert _loaded(words, tmp_path) == set()


def test_checking_a_spec_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    assert _loaded(["validate", "--no-data"], tmp_path) == set()


def test_checking_a_csvs_columns_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("age,income\n1,0\n2,1\n")
    (tmp_path / "spec.yaml").write_text(
        "apiVersion: mlspec/v1\nname: small\n"
        "data:\n  source: {kind: csv, path: rows.csv}\n  target: {column: income, kind: binary}\n"
        "  features: {age: number}\n"
        "model: {kind: linear}\n"
    )
    assert _loaded(["validate"], tmp_path) == set()


def _public(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def _files(folder: str) -> list[Path]:
    return sorted(file for file in (ROOT / folder).rglob("*.py") if not file.stem.startswith("_"))


@pytest.mark.parametrize("file", _files("mlspec/steps"), ids=lambda file: file.stem)
def test_a_step_is_a_function_of_its_files_name(file: Path) -> None:
    functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
    step = next((node for node in functions if node.name == file.stem), None)
    assert step is not None
    assert [argument.arg for argument in step.args.args] == ["parameters", "inputs", "output", "context"]


@pytest.mark.parametrize("file", _files("plugins"), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_plugin_is_a_class_of_its_files_name(file: Path) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", file.stem)
    assert "".join(word.capitalize() for word in file.stem.split("_")) in _public(file)


@pytest.mark.parametrize("file", _files("mlspec"), ids=lambda file: str(file.relative_to(ROOT / "mlspec")))
def test_every_file_says_what_it_is_for(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))
