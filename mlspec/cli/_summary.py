"""What a run came to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlspec.cli.console import stdout

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlspec.plan.plan import Step
    from mlspec.run.report import Report


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
    """Print what was measured of each export that some steps evaluated."""
    from mlspec.run.metrics import metrics

    console = stdout()
    for export, values in metrics(steps, workspace).items():
        console.print(f"metrics of '{export}' on the test split", style="bold")
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            console.print(f"  {name:<{width}}  {_number(value)}")


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _gates(report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in report.steps:
        file = report.workspace / step.output / "report.json"
        if step.kind == "gate" and file.is_file():
            found = json.loads(file.read_bytes())["gates"]
    return found
