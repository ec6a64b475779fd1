"""`mlspec step`: one step of a written plan; the command that DVC runs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

SUMMARY = "do one step of a written plan (the command in dvc.yaml)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument("pipeline", help="the folder under pipelines/")
    parser.add_argument("step", help="the step's full name")
    parser.add_argument("--json", action="store_true", help="print faults as JSON on stdout")


def step(arguments: argparse.Namespace) -> int:
    """Do the step in the workspace around the current folder; started by torchrun, take part in it."""
    from mlspec import registry
    from mlspec.cli._progress import Progress
    from mlspec.compose.workspace import workspace_of
    from mlspec.engine.training.seat import seat
    from mlspec.run.perform import perform
    from mlspec.run.seal import hashes_here
    from mlspec.run.written import written
    from mlspec.sdk.terminable import terminable

    root = workspace_of(Path.cwd() / "spec.yaml")
    registry.attach(root)
    found = written(root, arguments.pipeline, arguments.step)
    taken = seat()
    if taken is not None:
        from mlspec.engine.training.order import order_folder
        from mlspec.steps._join import join

        status = join(order_folder(root, found.pipeline, found.name), root, taken)
        # Libraries' own threads must not hold a process that has told its end.
        os._exit(status)
    with terminable(), Progress() as progress:
        if found.kind == "plan":
            from mlspec.run.check_plan import check_plan

            check_plan(root, found)
            return 0
        progress.started(found, ())
        perform(found, root, hashes_here(found, root), progress)
    return 0
