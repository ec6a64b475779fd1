"""`mlspec validate`: says what is wrong with a spec, or that nothing is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_spec, spec_of
from mlspec.errors import Fault, SpecError, UsageError

if TYPE_CHECKING:
    from mlspec.spec.spec import Spec

SUMMARY: str = "say what is wrong with a spec, all at once"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the spec, `--no-data` and `--sarif`."""
    add_spec(parser)
    parser.add_argument("--no-data", action="store_true", help="do not look at the data's columns")
    parser.add_argument(
        "--sarif", metavar="FILE", help="write the faults as SARIF 2.1.0 for code review; - is stdout"
    )


def validate(arguments: argparse.Namespace) -> int:
    """Check a spec and print one line.

    Raises:
        SpecError: with every fault (exit code 2).
        UsageError: two results are asked for on stdout, or the SARIF file cannot be written.
    """
    import sys

    from mlspec.spec.load import load

    if arguments.sarif == "-" and arguments.json:
        raise UsageError("'--sarif -' and '--json' both write to stdout", fix="give --sarif a file")
    path, overrides, overlays = spec_of(arguments)
    away = []

    def known(spec: Spec) -> tuple[str, ...] | None:
        from mlspec.run.columns_then import known_columns

        columns = known_columns(path)(spec)
        away.append(columns is not None)
        return columns

    try:
        spec = load(path, overrides, overlays, data=not arguments.no_data, known=known).spec
    except SpecError as error:
        _write_sarif(arguments.sarif, error.faults)
        raise
    _write_sarif(arguments.sarif, ())
    features = "auto" if spec.data.features == "auto" else len(spec.data.features)
    told = {
        "valid": True,
        "spec": str(path),
        "name": spec.name,
        "target": {"column": spec.data.target.column, "kind": spec.data.target.kind},
        "features": features,
        "model": spec.model.kind,
        "data_checked": not arguments.no_data and not any(away),
    }
    if arguments.json:
        from mlspec.cli.console import emit

        emit(told)
        return 0
    number = "features: auto" if features == "auto" else f"{features} feature{'' if features == 1 else 's'}"
    target = f"{spec.data.target.kind} target '{spec.data.target.column}'"
    unseen = "; the data was not looked at" if arguments.no_data else ""
    unseen = "; the data is not here, and the last run of it stands for it" if any(away) else unseen
    line = f"{path} is valid: '{spec.name}', {target}, {number}, model {spec.model.kind}{unseen}\n"
    (sys.stderr if arguments.sarif == "-" else sys.stdout).write(harmless(line))
    return 0


def _write_sarif(file: str | None, faults: Sequence[Fault]) -> None:
    if file is None:
        return
    import json
    from pathlib import Path

    from mlspec.cli._sarif import sarif
    from mlspec.cli.console import emit

    log = sarif(faults)
    if file == "-":
        emit(log)
        return
    try:
        Path(file).write_text(json.dumps(log, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write '{file}': {error.strerror or error}", fix="check the path after --sarif"
        ) from error
