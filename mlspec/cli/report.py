"""`mlspec report`: writes the latest run as one page that needs nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_sample, add_spec, spec_of, words_of

if TYPE_CHECKING:
    from mlspec.run.record import Record

SUMMARY = "write the latest run as one HTML page: measures, gates, plots, data, plan"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    add_sample(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where the page goes (default artifacts/NAME/logs/report-TIME.html)",
    )


def report(arguments: argparse.Namespace) -> int:
    """Write the page and print its path. Nothing is trained, read again or changed.

    Raises:
        MissingError: there is no run of this spec yet, or its files are not here.
        UsageError: the page cannot be written there.
    """
    from mlspec.engine.files import write_bytes
    from mlspec.errors import MissingError, UsageError
    from mlspec.run.before import before
    from mlspec.run.planned import planned
    from mlspec.run.record import latest, read_record
    from mlspec.telling.left import Left
    from mlspec.telling.page import page

    path, overrides, overlays = spec_of(arguments)
    found = planned(path, overrides, overlays, sample=arguments.sample, data=False)
    sample = "" if arguments.sample is None else f" --sample {arguments.sample}"
    command = f"mlspec run{words_of(path, overrides, overlays)}{sample}"
    file = latest(found.workspace, found.plan.name)
    if not file.is_file():
        raise MissingError(f"'{found.plan.name}' has no run to report yet", where=str(path), fix=command)
    record = read_record(file)
    _check(record, found.workspace, command)
    left = Left(
        record,
        found.workspace,
        planned=tuple(step.name for step in found.plan.steps),
        before=before(record, found.workspace),
    )
    place = arguments.output or _usual(record, found.workspace)
    try:
        write_bytes(place, page(left))
    except OSError as fault:
        raise UsageError(
            f"the page cannot be written to '{place}': {fault.strerror}", fix="name another file with -o"
        ) from fault
    if arguments.json:
        from mlspec.cli.console import emit

        emit({"name": record.name, "ended": record.ended, "page": str(place), "bytes": place.stat().st_size})
    else:
        sys.stdout.write(harmless(f"{place}\n"))
    return 0


def _check(record: Record, workspace: Path, command: str) -> None:
    """Refuse a record that came from git without the files that it tells of."""
    from mlspec.errors import MissingError

    done = [step for step in record.steps if step.done not in ("failed", "interrupted")]
    gone = [step.output for step in done if not (workspace / step.output).is_dir()]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise MissingError(
            f"the run is recorded, and what it made is not here: '{gone[0]}'{more}",
            where=record.spec,
            fix=f"`{command}`, or `dvc pull` where a remote has it",
        )


def _usual(record: Record, workspace: Path) -> Path:
    place = workspace / "artifacts" / record.name / "logs" / f"report-{record.began:%Y%m%dT%H%M%S}.html"
    return place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
