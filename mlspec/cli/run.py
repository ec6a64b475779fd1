"""`mlspec run`: do what is not done yet."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_sample, add_spec, add_wait, spec_of, words_of
from mlspec.cli.console import emit

if TYPE_CHECKING:
    from mlspec.run.report import Report

SUMMARY = "train, check, export and package what the spec asks for and is not done yet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    add_sample(parser)
    parser.add_argument("--until", metavar="STEP", help="stop after this step")
    parser.add_argument("--only", metavar="STEP", help="do this step alone")
    parser.add_argument(
        "--force", metavar="STEP", action="append", default=[], help="do this step again (repeatable)"
    )
    parser.add_argument("--locked", action="store_true", help="choose and rewrite nothing: for CI")
    add_wait(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the plan and tell what came of it."""
    from mlspec.cli._progress import Progress
    from mlspec.cli._summary import show_metrics
    from mlspec.errors import CheckFailed, UsageError
    from mlspec.run.planned import planned
    from mlspec.run.walk import run_plan
    from mlspec.sdk.terminable import terminable

    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise UsageError(
            "`mlspec run` starts torchrun itself, and torchrun started it",
            fix="start `mlspec run` on the first machine alone: it tells what to start on the others",
        )
    path, overrides, overlays = spec_of(arguments)
    found = planned(path, overrides, overlays, sample=arguments.sample)
    with terminable(), Progress() as progress:
        try:
            report = run_plan(
                found.plan,
                found.workspace,
                until=arguments.until,
                only=arguments.only,
                force=arguments.force,
                locked=arguments.locked,
                wait=arguments.wait,
                watch=progress,
            )
        except CheckFailed:
            if progress.failed == "gate" and not arguments.json:
                show_metrics(found.plan.steps, found.workspace)
            raise
        except KeyboardInterrupt:
            progress.said(f"stopped: `mlspec run{words_of(path, overrides, overlays)}` goes on from here")
            raise
    if arguments.json:
        emit(report.plain() | {"workspace": str(report.workspace)})
    else:
        _tell(report, words_of(path, overrides, overlays))
    return 0


def _tell(report: Report, words: str) -> None:
    if not report.worked:
        # Plain, for rich costs more to import than such a run takes.
        count = len(report.outcomes)
        sys.stdout.write(f"nothing to do: all {count} steps of '{report.plan.name}' are up to date\n")
    else:
        from mlspec.cli._summary import summary

        summary(report)
    _next(report, words)


def _next(report: Report, words: str) -> None:
    """Tell the command that a user wants next."""
    step = next((step for step in report.steps if step.kind == "package"), None)
    if step is not None and (report.workspace / step.output).is_dir() and report.plan.sample is None:
        sys.stderr.write(harmless(f"next: mlspec serve{words}\n"))
