"""`mlspec validate`: says what is wrong with a spec, or that nothing is."""

from __future__ import annotations

import argparse

from mlspec.cli.arguments import add_spec, spec_of

SUMMARY: str = "say what is wrong with a spec, all at once"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the spec and `--no-data`."""
    add_spec(parser)
    parser.add_argument("--no-data", action="store_true", help="do not look at the data's columns")


def validate(arguments: argparse.Namespace) -> int:
    """Check a spec and print one line.

    Raises:
        SpecError: with every fault (exit code 2).
    """
    import sys

    from mlspec.spec.load import load

    path, overrides, overlays = spec_of(arguments)
    spec = load(path, overrides, overlays, data=not arguments.no_data).spec
    features = "auto" if spec.data.features == "auto" else len(spec.data.features)
    told = {
        "valid": True,
        "spec": str(path),
        "name": spec.name,
        "target": {"column": spec.data.target.column, "kind": spec.data.target.kind},
        "features": features,
        "model": spec.model.kind,
        "data_checked": not arguments.no_data,
    }
    if arguments.json:
        from mlspec.cli.console import emit

        emit(told)
        return 0
    number = "features: auto" if features == "auto" else f"{features} feature{'' if features == 1 else 's'}"
    target = f"{spec.data.target.kind} target '{spec.data.target.column}'"
    unseen = "; the data was not looked at" if arguments.no_data else ""
    sys.stdout.write(f"{path} is valid: '{spec.name}', {target}, {number}, model {spec.model.kind}{unseen}\n")
    return 0
