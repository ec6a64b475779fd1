"""`mlspec accept`: makes the numbers of the last run the baseline that gates are held against."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlspec.cli.arguments import add_spec, add_wait, spec_of

if TYPE_CHECKING:
    from mlspec.run.baseline import Accepted

SUMMARY = "make the numbers of the last run the baseline: a file for git that gates are held against"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    add_wait(parser)


def accept(arguments: argparse.Namespace) -> int:
    """Write the baseline and tell old and new numbers.

    Raises:
        MissingError: nothing was evaluated yet, what was is older than the plan, or a run works here.
    """
    from mlspec.cli.console import stderr
    from mlspec.run.baseline import accept as keep
    from mlspec.run.planned import planned

    path, overrides, overlays = spec_of(arguments)
    found = planned(path, overrides, overlays)
    accepted = keep(found.plan, found.workspace, wait=arguments.wait, say=stderr().print)
    if arguments.json:
        from mlspec.cli.console import emit

        emit({"file": accepted.file, "old": _metrics(accepted.old), "new": _metrics(accepted.new)})
    else:
        _tell(accepted)
    return 0


def _metrics(exports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: content["metrics"] for name, content in exports.items()}


def _tell(accepted: Accepted) -> None:
    from mlspec.cli._with_interval import with_interval
    from mlspec.cli.console import stderr, stdout

    console = stdout()
    for export, content in accepted.new.items():
        console.print(f"baseline of '{export}'", style="bold")
        old = accepted.old.get(export, {})
        width = max((len(name) for name in content["metrics"]), default=0)
        for name, value in content["metrics"].items():
            told = with_interval(value, content["intervals"].get(name))
            if name not in old.get("metrics", {}):
                before = ""
            elif old["metrics"][name] == value:
                before = "  as before"
            else:
                before = f"  was {with_interval(old['metrics'][name], old['intervals'].get(name))}"
            console.print(f"  {name:<{width}}  {told}{before}")
    stderr().print(f"wrote {accepted.file}: commit it; the next run is held against it")
