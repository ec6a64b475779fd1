"""`mlspec show`: prints a spec as it stands after presets, overlays and overrides."""

from __future__ import annotations

import argparse

from mlspec.cli.arguments import add_spec, spec_of

SUMMARY: str = "print a spec with presets, overlays and overrides merged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the spec and `--resolved`."""
    add_spec(parser)
    parser.add_argument("--resolved", action="store_true", help="with every default filled in")


def show(arguments: argparse.Namespace) -> int:
    """Print what all layers say together, as YAML or JSON.

    Raises:
        SpecError: with every fault of the spec; the data is not looked at.
    """
    import sys

    from mlspec.spec.load import load

    path, overrides, overlays = spec_of(arguments)
    loaded = load(path, overrides, overlays, data=False)
    tree = loaded.composed.tree
    if arguments.resolved:
        from mlspec.spec.resolved import resolved

        tree = resolved(loaded.spec)
    if arguments.json:
        from mlspec.cli.console import emit

        emit(tree)
        return 0
    from mlspec.compose.write import write

    first = [name for name in ("apiVersion", "name", "seed") if name in tree]
    rest = sorted((name for name in tree if name not in first), key=_rank)
    sys.stdout.write(write({name: tree[name] for name in (*first, *rest)}))
    return 0


def _rank(name: str) -> int:
    from mlspec.spec.spec import Spec

    names = list(Spec.model_fields)
    return names.index(name) if name in names else len(names)
