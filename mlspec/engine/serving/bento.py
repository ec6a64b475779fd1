"""A package as a built Bento, for `bentoml containerize` and every place that takes Bentos."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlspec.errors import MissingError, StepError


@dataclass(frozen=True)
class Bento:
    """A Bento in a store of its own."""

    tag: str
    """`name:version`; the same package has the same version."""
    store: Path
    """What `BENTOML_HOME` must be for BentoML to find the tag."""
    folder: Path
    """The Bento itself."""


def bento(package: Path, store: Path) -> Bento:
    """Build a package into a store; a Bento of the same package is left as it is.

    Args:
        package: The folder that `package-<deployment>` wrote.
        store: The store's folder, made where it is missing.

    Raises:
        MissingError: BentoML is not installed.
        StepError: BentoML could not build it.
    """
    name, version = _name(package), _digest(package)
    folder = store / "bentos" / name / version
    if not (folder / "bento.yaml").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _build(package, store, version)
    if not (folder / "bento.yaml").is_file():
        raise StepError(f"BentoML built '{name}', and '{folder}' holds no Bento")
    return Bento(f"{name}:{version}", store, folder)


def _build(package: Path, store: Path, version: str) -> None:
    from importlib.util import find_spec

    if find_spec("bentoml") is None:
        raise MissingError("BentoML is not installed", fix="pip install 'mlspec[serve]'")
    store.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bentoml", "build", ".", "--version", version, "-o", "tag"]
    variables = {
        "BENTOML_HOME": str(store.resolve()),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLSPEC_MONITOR": "",
        "PYTHONDONTWRITEBYTECODE": "1",  # the package is an artifact: nothing may be added to it
    }
    done = subprocess.run(
        command, cwd=package, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StepError(
            f"BentoML could not build '{package}': {(done.stderr or done.stdout).strip()[-2000:]}"
        )


def _name(package: Path) -> str:
    for line in (package / "bentofile.yaml").read_text("utf-8").splitlines():
        if line.startswith("name: "):
            return line.removeprefix("name: ")
    raise StepError(f"'{package}' has no bentofile.yaml with a name")


def _digest(package: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(package.iterdir()):
        if file.is_file():
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
