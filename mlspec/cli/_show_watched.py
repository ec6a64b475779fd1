"""What a deployment saw, beside its training data, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.cli._harmless import harmless

STYLES = {"drift": "bold red", "stable": "green", "too_few_rows": "yellow", "not_observed": "dim"}
WIDE = 160
"""Characters of a line where nobody looks at a terminal."""
MOST = 5
"""Columns that the last line names; of more it tells the number."""


def show_watched(report: Mapping[str, Any], *, windows: bool) -> None:
    """Print the report of a monitor.

    Args:
        report: What `sdk/monitor.py` `Monitor.compare` returns.
        windows: Whether each window is told for itself, too.
    """
    from mlspec.cli.console import stdout

    console = stdout()
    if not console.is_terminal:
        console.width = WIDE
    _show_columns(report["columns"])
    _show_verdict(report)
    _show_traffic(report)
    if report.get("segments"):
        _show_segments(report["segments"])
    if windows:
        _show_windows(report.get("by_window", ()))


def _show_columns(columns: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlspec.cli.console import stdout
    from mlspec.telling.drift_words import VERDICTS, how

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", "verdict", "change", "p", "rows", "of"):
        number = name in ("change", "p", "rows")
        table.add_column(name, justify="right" if number else "left", no_wrap=number or name == "verdict")
    for column in columns:
        verdict = column["verdict"]
        name = column["column"] if column["part"] == "inputs" else f"answer: {column['column']}"
        shown = ["", "", "", ""]
        if verdict != "not_observed":
            rate = column["adjusted_p"]
            shown = [
                f"{column['effect']:.3f}" if column["effect"] < 1000 else f"{column['effect']:.4g}",
                "" if rate is None else f"{rate:.2g}",
                f"{column['rows']:,}",
                how(column),
            ]
        table.add_row(Text(harmless(name)), Text(VERDICTS[verdict], STYLES[verdict]), *shown)
    stdout().print(table)


def _show_verdict(report: Mapping[str, Any]) -> None:
    from rich.text import Text

    from mlspec.cli.console import stdout

    drifted = [column["column"] for column in report["columns"] if column["verdict"] == "drift"]
    vague = any(column["verdict"] == "too_few_rows" for column in report["columns"])
    which = ", ".join(drifted) if len(drifted) <= MOST else f"{len(drifted)} columns"
    parts = [one["segment"] for one in report.get("segments", ()) if one["verdict"] == "drift"]
    told = f"drift in {which}" if drifted else "too few rows to say" if vague else "no drift"
    if parts:
        count = f"{len(parts)} of {len(report['segments'])} segments"
        few = count if len(parts) > MOST else f"the segments {', '.join(parts)}"
        told = f"{told}, and in {few}" if drifted else f"drift in {few} only"
    rows = (
        f"{report['rows']:,} rows since {report['since']}, against {report['reference_rows']:,} of training"
    )
    limits = f"at most {report['false_alarms']:.0%} false alarms, changes from {report['smallest_effect']:g}"
    stdout().print(Text(harmless(f"\n{told}: {rows}; {limits}")))


def _show_traffic(report: Mapping[str, Any]) -> None:
    from rich.text import Text

    from mlspec.cli.console import stderr, stdout

    quiet = report.get("quiet", [])
    if quiet:
        away = sum(not one["up"] for one in quiet)
        told = f"missing traffic in {len(quiet):,} window{'s' if len(quiet) > 1 else ''}, the last from"
        why = f"{quiet[-1]['since']} with {quiet[-1]['rows']:,} rows; no service was up in {away:,} of them"
        stdout().print(f"{told} {why}", style="bold red")
    if report["dropped"]:
        stderr().print(f"{report['dropped']:,} more rows came too fast to be watched", style="yellow")
    if report.get("lost"):
        told = f"about {report['lost']:,} more rows were answered and are in no profile"
        why = "a service that runs writes them within half a minute; one that was killed has lost them"
        stderr().print(f"{told}: {why}", style="yellow")
    for line in report.get("skipped", ()):
        stderr().print(Text(harmless(f"skipped: {line}"), "yellow"))


def _show_segments(segments: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlspec.cli.console import stderr, stdout
    from mlspec.telling.drift_words import VERDICTS, changed_in

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("segment", "verdict", "rows", "changed"):
        table.add_column(name, justify="right" if name == "rows" else "left", no_wrap=name == "verdict")
    for one in segments:
        verdict = Text(VERDICTS[one["verdict"]], STYLES[one["verdict"]])
        changed = Text(harmless(", ".join(changed_in(one))))
        table.add_row(Text(harmless(one["segment"])), verdict, f"{one['rows']:,}", changed)
    console = stdout()
    console.print()
    console.print(table)
    stderr().print("each segment is held against its own held-out rows", style="dim")


def _show_windows(windows: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlspec.cli.console import stderr, stdout
    from mlspec.telling.drift_words import VERDICTS

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("since", "until", "verdict", "rows", "changed"):
        table.add_column(name, justify="right" if name == "rows" else "left", no_wrap=name != "changed")
    for one in windows:
        verdict = Text(VERDICTS[one["verdict"]], STYLES[one["verdict"]])
        changed = Text(harmless(", ".join(one["columns"])))
        table.add_row(one["since"], one["until"], verdict, f"{one['rows']:,}", changed)
    console = stdout()
    console.print()
    console.print(table)
    note = "each window is judged on its own: of many, some tell a change by chance"
    stderr().print(note, style="dim")
