"""`mlspec compile`: the scripts that would start a training elsewhere; nothing is started."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli.arguments import add_sample, add_spec, spec_of, words_of
from mlspec.cli.console import emit, stderr

if TYPE_CHECKING:
    from mlspec.run.planned import Planned
    from mlspec.sdk.launcher import Shape

SUMMARY = "write the scripts that start a training elsewhere; nothing is started"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    add_sample(parser)
    parser.add_argument(
        "--target", metavar="LAUNCHER", required=True, help="what would start it: torchrun, slurm or ray"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="write the files there (default: to stdout)"
    )


def compile(arguments: argparse.Namespace) -> int:
    """Write what would run."""
    found, words = _planned(arguments)
    scripts = found.spec.hardware.launcher.scripts(_shape(found), f"mlspec run{words}")
    if arguments.json:
        emit({"target": arguments.target, "files": dict(scripts)})
    elif arguments.output is None:
        _print(scripts)
    if arguments.output is not None:
        _write(scripts, arguments.output)
    return 0


def _planned(arguments: argparse.Namespace) -> tuple[Planned, str]:
    """Return the plan with the launcher that was asked for, and the words that name it."""
    from mlspec.errors import UsageError
    from mlspec.registry import find, kinds
    from mlspec.run.planned import planned
    from mlspec.sdk.launcher import Launcher

    path, overrides, overlays = spec_of(arguments)
    able = [kind for kind in kinds("launcher") if find("launcher", kind).scripts is not Launcher.scripts]
    if arguments.target not in able:
        raise UsageError(f"there are no scripts for '{arguments.target}'", fix=f"one of {', '.join(able)}")
    if _launcher(path, overrides, overlays) != arguments.target:
        # Its options are those of another launcher, and what that one cannot start this one may.
        overrides = (*overrides, f"hardware.launcher={{kind: {arguments.target}}}")
    found = planned(path, overrides, overlays, sample=arguments.sample, data=False)
    sample = "" if arguments.sample is None else f" --sample {arguments.sample}"
    return found, words_of(path, overrides, overlays) + sample


def _launcher(path: Path, overrides: Sequence[str], overlays: Sequence[Path]) -> Any:
    """Return the kind of launcher that a spec names, right or wrong; None where it names none."""
    from mlspec import registry
    from mlspec.compose.compose import gather
    from mlspec.compose.workspace import workspace_of
    from mlspec.spec.levels import is_slot

    registry.attach(workspace_of(path))
    said, _ = gather(path, overrides, overlays, is_slot=is_slot)
    found: Any = said.tree
    for name in ("hardware", "launcher"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found.get("kind") if isinstance(found, Mapping) else found


def _shape(found: Planned) -> Shape:
    from mlspec.sdk.launcher import Shape as Known

    hardware = found.spec.hardware
    cuda = hardware.accelerator == "cuda"
    return Known(found.plan.name, "train", hardware.nodes, hardware.devices, cuda)


def _print(scripts: Mapping[str, str]) -> None:
    # As they are: a console would wrap and colour them.
    import sys

    for name, text in scripts.items():
        if len(scripts) > 1:
            sys.stdout.write(f"# ---- {name}\n")
        sys.stdout.write(text)


def _write(scripts: Mapping[str, str], folder: Path) -> None:
    from mlspec.engine.files import write_bytes

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in scripts.items():
        write_bytes(folder / name, text.encode())
        (folder / name).chmod(0o755)
        stderr().print(f"wrote {folder / name}")
