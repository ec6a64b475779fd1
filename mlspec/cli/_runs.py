"""Records of runs, as `mlspec show` tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli._with_interval import with_interval
from mlspec.cli.console import emit, stdout

if TYPE_CHECKING:
    from mlspec.run.record import Record, StepRecord

WORDS = LAST, ALL = "last", "runs"
ROWS = ("read", "rejected", "train", "val", "test", "scored")
"""The order in which rows go their way."""
_RUN = re.compile(r"run-\d[\dT]*(?:\.json)?")


def names_runs(word: str) -> bool:
    """Return whether a word of the command line asks for runs, and is no file's or folder's name.

    Example:
        >>> [names_runs(word) for word in ("last", "runs", "run-20261125T1912", "run-time.yaml")]
        [True, True, True, False]
    """
    return (word in (LAST, ALL) or bool(_RUN.fullmatch(word))) and not Path(word).exists()


def show_runs(word: str, workspace: Path, name: str, *, json: bool) -> None:
    """Print the latest run of a pipeline, one of them, or a line for each.

    Raises:
        MissingError: there is no such run here.
        UsageError: a record cannot be read, or several begin with that word.
    """
    from mlspec.run.record import history, latest, read_record

    if word == LAST:
        show_record(read_record(latest(workspace, name)), json=json)
        return
    files = history(workspace, name)
    if word == ALL:
        _list(files, name, json=json)
        return
    show_record(read_record(_one(word, files, name)), json=json)


def _one(word: str, files: Sequence[Path], name: str) -> Path:
    from mlspec.errors import MissingError, UsageError

    found = [file for file in files if file.stem.startswith(word.removesuffix(".json"))]
    if not found:
        raise MissingError(f"'{name}' has no run '{word}' here", fix="`mlspec show runs` lists them")
    if len(found) > 1:
        fix = f"say more of it: {', '.join(file.stem for file in found[:3])}"
        raise UsageError(f"{len(found)} runs begin with '{word}'", fix=fix)
    return found[0]


def _list(files: Sequence[Path], name: str, *, json: bool) -> None:
    from mlspec.errors import MissingError
    from mlspec.run.record import read_record

    if not files:
        raise MissingError(f"no run of '{name}' is noted here", fix="mlspec run")
    found = [(file.stem, read_record(file)) for file in files]
    if json:
        emit({"name": name, "runs": [_brief(run, record) for run, record in found]})
        return
    rows = []
    for run, record in found:
        brief = _brief(run, record)
        metric = "" if brief["metric"] is None else f"{brief['metric']} {number(brief['value'])}"
        rows.append((run, record.ended, f"{record.seconds:.1f} s", metric, ", ".join(brief["ran"]) or "-"))
    stdout().print("\n".join(_table(("run", "ended", "time", "metric", "steps that ran"), rows)))


def _brief(run: str, record: Record) -> dict[str, Any]:
    """Return what tells a run from others; its metric is the first that a gate holds, else the first."""
    gate = next((gate for gate in record.gates if gate.metric), None)
    export = gate.export if gate is not None and gate.export in record.metrics else None
    export = export or next(iter(record.metrics), None)
    values = record.metrics.get(export, {}) if export else {}
    metric = gate.metric if gate is not None and gate.metric in values else None
    metric = metric or next((name for name in values if name != "rows"), None)
    return {
        "run": run,
        "began": record.began.isoformat(),
        "ended": record.ended,
        "seconds": record.seconds,
        "ran": [step.step for step in record.steps if step.done not in ("reused", "restored")],
        "metric": metric,
        "value": values.get(metric) if metric else None,
    }


def show_record(record: Record, *, json: bool) -> None:
    """Print one record."""
    if json:
        emit(record.plain())
        return
    console = stdout()
    console.print(f"{record.name}: {record.began:%Y-%m-%d %H:%M:%S} UTC, ", style="bold", end="")
    style = "green" if record.ended == "done" else "bold red"
    console.print(record.ended, style=style, end="")
    console.print(f" after {record.seconds:.1f} s")
    console.print("\n".join(_head(record)))
    console.print("steps", style="bold")
    rows = [
        (step.step, step.done, _time(step), _memory(step), _rows(step), "; ".join(step.reasons))
        for step in record.steps
    ]
    console.print("\n".join(_table(("", "", "time", "memory", "rows", "why"), rows)))
    for export, values in record.metrics.items():
        console.print(f"metrics of '{export}' on the test split", style="bold")
        console.print("\n".join(_metrics(record, export, values)))
    if record.gates:
        console.print("gates", style="bold")
        for gate in record.gates:
            console.print(f"  {'passed' if gate.passed else 'FAILED'}  {gate.text}")
    console.print("made with", style="bold")
    console.print("\n".join(_made_with(record)))


def number(value: Any) -> str:
    """Return a measure as people read it."""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _head(record: Record) -> Iterator[str]:
    words = [*record.overrides, *(f"-c {overlay}" for overlay in record.overlays)]
    yield f"  spec    {' '.join([record.spec, *words])}"
    if record.git.revision:
        changed = f", changed since: {', '.join(record.git.changed)}" if record.git.dirty else ""
        yield f"  commit  {record.git.revision[:12]}{changed}"
    if record.failure is not None and record.ended == "interrupted":
        yield f"  stopped in {record.failure.step or 'no step'}; `mlspec run` goes on"
    elif record.failure is not None:
        step = f"{record.failure.step}: " if record.failure.step else ""
        yield f"  error   {step}{record.failure.what or record.failure.error}"
        if record.failure.fix:
            yield f"  fix     {record.failure.fix}"


def _time(step: StepRecord) -> str:
    return "" if step.done == "reused" else f"{step.seconds:.1f} s"


def _memory(step: StepRecord) -> str:
    return "" if step.peak_mib is None else f"{step.peak_mib} MiB"


def _rows(step: StepRecord) -> str:
    known = [name for name in ROWS if name in step.rows]
    names = (*known, *(name for name in step.rows if name not in known))
    return ", ".join(f"{name} {step.rows[name]}" for name in names)


def _metrics(record: Record, export: str, values: Any) -> Iterator[str]:
    width = max((len(name) for name in values), default=0)
    known = record.intervals.get(export)
    for name, value in values.items():
        between = known.metrics.get(name) if known else None
        yield f"  {name:<{width}}  {with_interval(value, between)}"


def _made_with(record: Record) -> Iterator[str]:
    for step in record.steps:
        if step.hardware:
            used = dict(step.hardware)
            device = f" ({used['device']})" if used.get("device") else ""
            yield f"  {step.step} on {used.get('accelerator')}{device}, {used.get('threads')} threads"
    machine = record.machine
    if machine:
        yield f"  {machine.get('system')}, {machine.get('cpus')} cpus, {machine.get('memory_mib')} MiB"
    yield "  " + ", ".join(f"{name} {version}" for name, version in record.versions.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True) if width)
        yield ("  " + "  ".join(cells)).rstrip()
