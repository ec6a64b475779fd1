"""`mlspec migrate`: gives keys the names that they have today."""

from __future__ import annotations

import argparse
import sys

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_spec, spec_of

SUMMARY = "rename keys of a spec that had another name once"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the spec and `--write`."""
    add_spec(parser)
    parser.add_argument("--write", action="store_true", help="change the files; without it they are shown")


def migrate(arguments: argparse.Namespace) -> int:
    """Show what would change in the spec, its overlays and its presets, or change it.

    Returns:
        0; 10 where there is something to rename and `--write` is not given.

    Raises:
        SpecError: a text cannot be read, or a key stands by its old and by its new name.
    """
    import difflib

    from mlspec import registry
    from mlspec.cli.console import emit
    from mlspec.compose.compose import compose
    from mlspec.compose.workspace import workspace_of
    from mlspec.engine.files import write_bytes
    from mlspec.spec.levels import is_slot
    from mlspec.spec.migrate import migrate as migrated

    path, overrides, overlays = spec_of(arguments)
    workspace = workspace_of(path)
    registry.attach(workspace)
    changed = migrated(compose(path, overrides, overlays, is_slot=is_slot), workspace)
    if arguments.write:
        for item in changed:
            mark = b"\xef\xbb\xbf" if item.file.read_bytes().startswith(b"\xef\xbb\xbf") else b""
            write_bytes(item.file, mark + item.after.encode("utf-8"))
    if arguments.json:
        told = [
            {"place": str(renaming.place), "old": renaming.old, "new": renaming.new}
            for item in changed
            for renaming in item.renamings
        ]
        emit({"renamed": told, "written": bool(arguments.write and changed)})
        return 0 if arguments.write or not changed else 10
    for item in changed:
        name = str(item.file)
        if arguments.write:
            for renaming in item.renamings:
                sys.stdout.write(harmless(f"{renaming.place}: {renaming.old} is {renaming.new} now\n"))
        else:
            before, after = item.before.splitlines(True), item.after.splitlines(True)
            sys.stdout.writelines(map(harmless, difflib.unified_diff(before, after, name, name, n=1)))
    if not changed:
        sys.stdout.write("nothing to do: every key has the name of today\n")
        return 0
    if not arguments.write:
        sys.stderr.write("`mlspec migrate --write` changes the files\n")
        return 10
    return 0
