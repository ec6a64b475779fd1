"""`mlspec schema`: the language for editors."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlspec.cli.arguments import add_json

SUMMARY: str = "print the language as a JSON Schema, or write it for your editor"
PLACE = Path(".mlspec") / "spec.schema.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the workspace, `--write` and `--markdown`."""
    parser.add_argument(
        "folder", nargs="?", default=".", help="the workspace, whose plug-ins are described too"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help=f"write {PLACE.as_posix()} in the workspace")
    how.add_argument("--markdown", action="store_true", help="print it as a page to read")
    add_json(parser)


def schema(arguments: argparse.Namespace) -> int:
    """Print the schema, or write it."""
    import json
    import sys

    from mlspec import registry
    from mlspec.cli.console import emit
    from mlspec.compose.workspace import workspace_of
    from mlspec.spec.schema import schema as build

    place = Path(arguments.folder)
    workspace = workspace_of(place / "spec.yaml" if place.is_dir() else place)
    registry.attach(workspace)
    found = build()
    if arguments.markdown:
        from mlspec.spec.reference import reference

        sys.stdout.write(reference(found))
        return 0
    if not arguments.write:
        emit(found)
        return 0
    file = workspace / PLACE
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    temporary.replace(file)
    if arguments.json:
        emit({"written": str(file)})
    else:
        sys.stdout.write(
            f"{file}: written; start a spec with\n# yaml-language-server: $schema={PLACE.as_posix()}\n"
        )
    return 0
