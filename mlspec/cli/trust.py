"""`mlspec trust`: lets a workspace's plug-ins be loaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_json

SUMMARY: str = "let the plug-ins of a workspace be loaded (read them first: they are code)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, `--forget` and `--json`."""
    parser.add_argument(
        "folder", nargs="?", default=".", help="the workspace, or a spec in it (default: here)"
    )
    parser.add_argument("--forget", action="store_true", help="trust them no longer")
    add_json(parser)


def trust(arguments: argparse.Namespace) -> int:
    """Record the digest of a workspace's plug-ins outside the repository, or forget it.

    Raises:
        MissingError: the workspace has no plug-ins.
    """
    import sys

    from mlspec.cli.console import emit
    from mlspec.compose.workspace import workspace_of
    from mlspec.errors import MissingError
    from mlspec.trust import distrust, trust_file
    from mlspec.trust import trust as record

    place = Path(arguments.folder)
    plugins = workspace_of(place / "spec.yaml" if place.is_dir() else place) / "plugins"
    if not plugins.is_dir():
        raise MissingError(f"there is no folder '{plugins}'", fix="name the workspace: mlspec trust FOLDER")
    files = sorted(
        file.relative_to(plugins.parent).as_posix()
        for file in plugins.rglob("*")
        if "__pycache__" not in file.parts and not file.is_dir()
    )
    if arguments.forget:
        known = distrust(plugins)
        told = {"trusted": False, "was": known, "plugins": files}
        line = "forgotten" if known else "was not trusted"
    else:
        told = {
            "trusted": True,
            "digest": record(plugins),
            "plugins": files,
            "recorded_in": str(trust_file()),
        }
        number = f"{len(files)} file{'' if len(files) == 1 else 's'}"
        line = f"trusted as it is now ({number}); any change needs this command again"
    if arguments.json:
        emit(told)
    else:
        sys.stdout.write(harmless(f"{plugins}: {line}\n" + "".join(f"  {file}\n" for file in files)))
    return 0
