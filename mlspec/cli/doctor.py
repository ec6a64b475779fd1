"""`mlspec doctor`: what this machine has and lacks."""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from mlspec.cli.arguments import add_json
from mlspec.cli.console import emit, stdout

SUMMARY = "say what this machine has and lacks, with the commands that mend it"
EXTRAS = ("base", "train", "serve")
LOW_DISK = 2.0
"""Free GB below which a run may not find room."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_json(parser)


def doctor(arguments: argparse.Namespace) -> int:
    """Print each finding; 0 where a plan can be made and run here, else 3."""
    found = [_python(), *_packages(), _torch(), _disk(), _workspace(), _trust()]
    if arguments.json:
        emit(found)
    else:
        _show(found)
    return 3 if any(item["state"] == "missing" and item["needed"] for item in found) else 0


def _finding(
    name: str, state: str, text: str, *, fix: str | None = None, needed: bool = False
) -> dict[str, Any]:
    return {"name": name, "state": state, "text": text, "fix": fix, "needed": needed}


def _python() -> dict[str, Any]:
    text = f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}"
    good = (3, 11) <= sys.version_info[:2] < (3, 13)
    fix = None if good else "use Python 3.11 or 3.12"
    return _finding("python", "good" if good else "missing", text, fix=fix, needed=True)


def _packages() -> list[dict[str, Any]]:
    """Hold what is installed against what each extra asks for."""
    from importlib import metadata

    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(line) for line in metadata.requires("mlspec") or ()]
    except metadata.PackageNotFoundError:
        return [
            _finding("packages", "missing", "mlspec is not installed", fix="pip install mlspec", needed=True)
        ]
    found = []
    for extra in EXTRAS:
        asked = [line for line in wanted if _belongs(line, extra)]
        faults = [fault for line in asked if (fault := _fault(line)) is not None]
        name = "mlspec" if extra == "base" else f"mlspec[{extra}]"
        if faults:
            text = f"lacks {', '.join(faults)}"
            found.append(_finding(name, "missing", text, fix=f"pip install '{name}'", needed=extra == "base"))
        else:
            found.append(_finding(name, "good", f"{len(asked)} packages"))
    return found


def _belongs(line: Any, extra: str) -> bool:
    if line.marker is None:
        return extra == "base"
    if extra == "base":
        return "extra" not in str(line.marker) and bool(line.marker.evaluate())
    return bool(line.marker.evaluate({"extra": extra}) and not line.marker.evaluate({"extra": ""}))


def _fault(line: Any) -> str | None:
    from importlib import metadata

    try:
        version = metadata.version(line.name)
    except metadata.PackageNotFoundError:
        return str(line.name)
    if line.specifier.contains(version, prereleases=True):
        return None
    return f"{line.name}{line.specifier} (here: {version})"


def _torch() -> dict[str, Any]:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return _finding("torch", "absent", "not installed", fix="pip install 'mlspec[train]'")
    import torch

    if not torch.cuda.is_available():
        return _finding(
            "torch", "good", f"{torch.__version__}, {torch.get_num_threads()} threads, no CUDA device"
        )
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return _finding("torch", "good", f"{torch.__version__}, CUDA {torch.version.cuda}: {names}")


def _disk() -> dict[str, Any]:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    low = free < LOW_DISK
    fix = "`mlspec clean`, or make room" if low else None
    return _finding("disk", "low" if low else "good", f"{free:.1f} GB free here", fix=fix)


def _workspace() -> dict[str, Any]:
    from mlspec.compose.workspace import workspace_of

    root = workspace_of(Path("spec.yaml"))
    if not (root / ".dvc").is_dir():
        return _finding("workspace", "absent", f"none yet: the first run makes one in {root}")
    return _finding("workspace", "good", str(root))


def _trust() -> dict[str, Any]:
    from mlspec import registry
    from mlspec.compose.workspace import workspace_of
    from mlspec.errors import MlspecError
    from mlspec.trust import digest, is_trusted

    root = workspace_of(Path("spec.yaml"))
    folder = root / "plugins"
    shipped = Path(__file__).resolve().parents[2] / "plugins"
    if not folder.is_dir() or folder == shipped:
        return _finding("plug-ins", "good", "this workspace has none of its own")
    try:
        registry.attach(root)
        digest(folder)
    except MlspecError as error:
        return _finding("plug-ins", "untrusted", error.what, fix=error.fix)
    if not is_trusted(folder):
        return _finding(
            "plug-ins", "untrusted", f"{folder} is code that nobody said to trust", fix="mlspec trust"
        )
    own = [(slot, file.stem) for slot in registry.SLOTS for file in sorted((folder / slot).glob("[a-z]*.py"))]
    for slot, kind in own:
        try:
            registry.find(slot, kind)
        except MlspecError as error:
            return _finding("plug-ins", "missing", error.what, fix=error.fix)
    return _finding("plug-ins", "good", f"{len(own)} in {folder}: trusted, and each can be imported")


def _show(found: list[dict[str, Any]]) -> None:
    styles = {
        "good": "green",
        "missing": "bold red",
        "untrusted": "bold red",
        "low": "yellow",
        "absent": "dim",
    }
    for item in found:
        stdout().print(f"{item['name']:<14} ", style="bold", end="")
        stdout().print(f"{item['state']:<10}", style=styles[item["state"]], end="")
        stdout().print(item["text"])
        if item["fix"]:
            stdout().print(f"{'':<25}fix: {item['fix']}", style="green")
