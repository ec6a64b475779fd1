"""What the code imports is what `pyproject.toml` says it needs, and in the extra that says so."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BASE_ROOMS = ("errors.py", "registry.py", "__init__.py", "sdk", "compose", "spec", "plan", "cli")


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", requirement)[0]).lower()


def _names(requirements: list[str]) -> set[str]:
    return {_name(requirement) for requirement in requirements} - {"mlspec"}


def _distributions() -> dict[str, set[str]]:
    """Return the distributions that each importable module may come from."""
    found = {
        module: {_name(name) for name in names} for module, names in metadata.packages_distributions().items()
    }
    # pydantic holds its core to one exact version; MySQLdb is installed only where it can be built.
    return found | {"pydantic_core": {"pydantic"}, "MySQLdb": {"mysqlclient"}}


def _imports(files: list[Path], *, top_only: bool) -> dict[str, str]:
    """Return each module that files import from elsewhere, with the first file that does."""
    found: dict[str, str] = {}
    for file in files:
        tree = ast.parse(file.read_text())
        for node in tree.body if top_only else ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                module = name.split(".")[0]
                if module not in sys.stdlib_module_names and module not in {"mlspec", "__future__"}:
                    found.setdefault(module, str(file.relative_to(ROOT)))
    return found


def _files(*folders: str) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def test_everything_imported_is_declared() -> None:
    extras = ("train", "serve", "sql", "mysql", "ray", "sweep", "tpu", "deepspeed")
    declared = _names(PROJECT["dependencies"] + [one for name in extras for one in EXTRAS[name]])
    owners = _distributions()
    strays = {
        module: place
        for module, place in _imports(_files("mlspec", "plugins"), top_only=False).items()
        if not owners.get(module, {module.replace("_", "-")}) & declared
    }
    assert strays == {}


def test_light_rooms_need_only_the_base() -> None:
    declared = _names(PROJECT["dependencies"])
    owners = _distributions()
    files = _files(*(f"mlspec/{room}" for room in BASE_ROOMS), "mlspec/run")
    strays = {
        module: place
        for module, place in _imports(files, top_only=True).items()
        if not owners.get(module, {module.replace("_", "-")}) & declared
    }
    assert strays == {}


@pytest.mark.parametrize("extra", ["base", *sorted(set(EXTRAS) - {"dev", "cpu"})])
def test_every_requirement_has_a_range(extra: str) -> None:
    requirements = PROJECT["dependencies"] if extra == "base" else EXTRAS[extra]
    for requirement in requirements:
        if _name(requirement) != "mlspec":
            assert ">=" in requirement and ",<" in requirement, requirement


def test_every_dependency_has_a_reason() -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text().lower()
    for requirement in PROJECT["dependencies"] + EXTRAS["train"] + EXTRAS["serve"]:
        assert re.split(r"[\[<>=]", requirement)[0].lower() in reasons, requirement


def test_two_runtimes_are_never_in_one_extra() -> None:
    for extra, requirements in EXTRAS.items():
        assert not {"onnxruntime", "onnxruntime-gpu"} <= _names(requirements), extra


def test_the_serving_part_has_no_torch() -> None:
    assert not {"torch", "pytorch-lightning", "scikit-learn"} & _names(
        PROJECT["dependencies"] + EXTRAS["serve"]
    )


def test_constraints_are_exact_and_of_no_machine() -> None:
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line
    held = {_name(line) for line in lines}
    wanted = _names(PROJECT["dependencies"] + EXTRAS["train"] + EXTRAS["serve"] + EXTRAS["dev"])
    assert wanted - held == set()
