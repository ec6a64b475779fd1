"""What a run came to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlspec.cli.console import stdout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mlspec.plan.plan import Step
    from mlspec.run.report import Report

SLICES = 10
"""Slices of a column that are printed, the largest first."""


def summary(report: Report) -> None:
    """Print measures, gates and where everything lies."""
    console = stdout()
    show_metrics(report.steps, report.workspace)
    gates = _gates(report)
    if gates:
        console.print("gates", style="bold")
        for gate in gates:
            word, style = ("passed", "green") if gate["passed"] else ("FAILED", "bold red")
            console.print(f"  {word}  ", style=style, end="")
            console.print(str(gate["text"]))
    shown = [step for step in report.steps if step.kind in ("export", "package")]
    lying = [step.output for step in shown if (report.workspace / step.output).is_dir()]
    if lying:
        console.print("where", style="bold")
        for folder in lying:
            console.print(f"  {folder}")
    ran = sum(outcome.done == "ran" for outcome in report.outcomes)
    restored = sum(outcome.done == "restored" for outcome in report.outcomes)
    reused = sum(outcome.done == "reused" for outcome in report.outcomes)
    console.print(f"{ran} ran, {restored} restored, {reused} reused in {report.seconds:.1f} s", style="dim")


def show_metrics(steps: Iterable[Step], workspace: Path) -> None:
    """Print what was measured of each export that some steps evaluated, and of its slices."""
    from mlspec.cli._with_interval import with_interval
    from mlspec.run.metrics import intervals, metrics, slices

    console, steps = stdout(), tuple(steps)
    known, parts = intervals(steps, workspace), slices(steps, workspace)
    for export, values in metrics(steps, workspace).items():
        console.print(f"metrics of '{export}' on the test split", style="bold")
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            interval = known.get(export, {}).get(name)
            console.print(f"  {name:<{width}}  {with_interval(value, interval)}")
        _show_slices(export, _first_metric(steps, export), parts.get(export, {}))


def _first_metric(steps: Iterable[Step], export: str) -> str:
    step = next(step for step in steps if step.name == f"evaluate-{export}")
    return str(step.parameters["evaluation"]["metrics"][0]["kind"])


def _show_slices(export: str, metric: str, parts: Mapping[str, Any]) -> None:
    """Print one measure of each slice; `slices.json` has them all."""
    from mlspec.cli._with_interval import with_interval

    console = stdout()
    for column, found in parts.items():
        console.print(f"{metric} of '{export}' by '{column}'", style="bold")
        names = ["(none)" if part["value"] is None else part["value"] for part in found]
        width = max((len(name) for name in names[:SLICES]), default=0)
        for name, part in zip(names[:SLICES], found, strict=False):
            told = part.get("verdict") or with_interval(part["metrics"][metric], part["intervals"][metric])
            console.print(f"  {name:<{width}}  {part['rows']:>7} rows  {told}", markup=False)
        if len(found) > SLICES:
            console.print(f"  and {len(found) - SLICES} more, in slices.json", style="dim")


def _gates(report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in report.steps:
        file = report.workspace / step.output / "report.json"
        if step.kind == "gate" and file.is_file():
            found = json.loads(file.read_bytes())["gates"]
    return found
