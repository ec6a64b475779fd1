"""`mlspec show`: prints a spec as it stands after presets, overlays and overrides."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from mlspec.cli.arguments import add_spec, spec_of

SUMMARY: str = "print a spec with presets, overlays and overrides merged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the spec and `--resolved`."""
    add_spec(parser)
    parser.add_argument("--resolved", action="store_true", help="with every default filled in")
    parser.add_argument(
        "--comments", action="store_true", help="above each key what it means, and where its value was said"
    )


def show(arguments: argparse.Namespace) -> int:
    """Print what all layers say together, as YAML or JSON.

    Raises:
        SpecError: with every fault of the spec; the data is not looked at.
        UsageError: comments are asked for in JSON, which has none.
    """
    import sys

    from mlspec.spec.load import load

    if arguments.json and arguments.comments:
        from mlspec.errors import UsageError

        raise UsageError("JSON has no comments", fix="leave out --json or --comments")
    path, overrides, overlays = spec_of(arguments)
    loaded = load(path, overrides, overlays, data=False)
    tree = loaded.composed.tree
    if arguments.resolved:
        from mlspec.spec.shown import shown

        tree = shown(loaded.spec, loaded.composed, path.resolve().parent)
    if arguments.json:
        from mlspec.cli.console import emit

        emit(tree)
        return 0
    tree = _escaped(tree)
    from mlspec.compose.write import write

    first = [name for name in ("apiVersion", "name", "seed") if name in tree]
    rest = sorted((name for name in tree if name not in first), key=_rank)
    text = write({name: tree[name] for name in (*first, *rest)})
    if arguments.comments:
        from mlspec.spec.commented import commented

        text = commented(text, loaded.spec, loaded.composed)
    sys.stdout.write(text)
    return 0


def _escaped(value: Any) -> Any:
    """Return plain data whose `${` are plain text to whoever reads it again: every reference is followed."""
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value.replace("${", "\\${") if isinstance(value, str) else value


def _rank(name: str) -> int:
    from mlspec.spec.spec import Spec

    names = list(Spec.model_fields)
    return names.index(name) if name in names else len(names)
