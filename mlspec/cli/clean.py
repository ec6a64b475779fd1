"""`mlspec clean`: remove what runs left; the results stay in DVC's cache."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from mlspec.cli.arguments import add_json, add_wait
from mlspec.cli.console import emit, stderr, stdout

SUMMARY = "remove logs, built packages, checkpoints, kept parts, half-made work (--artifacts: results too)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument("folder", nargs="?", default=".", help="the workspace, or a spec in it")
    parser.add_argument("--artifacts", action="store_true", help="results too; a run restores them")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_wait(parser)
    add_json(parser)


def clean(arguments: argparse.Namespace) -> int:
    """Remove what is asked for, while no run works here."""
    from mlspec.compose.workspace import workspace_of
    from mlspec.run.lock import lock

    place = Path(arguments.folder)
    root = workspace_of(place / "spec.yaml" if place.is_dir() else place)
    if not _found(root, arguments.artifacts):
        if arguments.json:
            emit({"removed": [], "bytes": 0})
        else:
            stdout().print("nothing to remove")
        return 0
    with lock(root, wait=arguments.wait, say=stderr().print):
        return _clean(root, arguments)


def _clean(root: Path, arguments: argparse.Namespace) -> int:
    from mlspec.errors import UsageError

    found = _found(root, arguments.artifacts)
    total = sum(_size(path) for path in found)
    names = [path.relative_to(root).as_posix() for path in found]
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise UsageError(f"this would remove {', '.join(names)} ({total / 1e6:.1f} MB)", fix="say --yes")
        stderr().print(f"{', '.join(names)}: remove {total / 1e6:.1f} MB? [y/N] ", end="")
        if input().strip().lower() not in ("y", "yes"):
            return 0
    for path in found:
        shutil.rmtree(path)
    if arguments.json:
        emit({"removed": names, "bytes": total})
    else:
        stdout().print(f"removed {', '.join(names)} ({total / 1e6:.1f} MB)")
    return 0


def _found(root: Path, artifacts: bool) -> list[Path]:
    from mlspec.run.mend import worked_at

    scratch = [root / ".mlspec" / name for name in ("scratch", "parts", "tmp", "samples")]
    if any(worked_at(path) for path in (root / ".mlspec" / "tmp").glob("*")):
        # `mlspec verify` works there and holds no lock.
        left = (path for path in (root / ".mlspec" / "tmp").glob("*") if not worked_at(path))
        scratch = [*(path for path in scratch if path.name != "tmp"), *sorted(left)]
    if artifacts:
        made = [root / "artifacts"]
    else:
        made = sorted(path for word in ("logs", "build") for path in (root / "artifacts").glob(f"*/{word}"))
    return [path for path in (*made, *scratch) if path.is_dir() and any(path.iterdir())]


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
