"""The plan, and what became of it."""

from __future__ import annotations

from mlspec.run.record import StepRecord
from mlspec.telling.figure import duration, figure
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.table import table

COLOURS = {"ran": "good", "restored": "good", "reused": "", "failed": "bad", "interrupted": "warn"}


def steps(left: Left) -> Html:
    """Return every step of the plan: reused or why it ran, seconds, memory and rows."""
    known = {step.step: step for step in left.record.steps}
    names = [*left.planned, *(name for name in known if name not in left.planned)]
    rows = [_row(name, known.get(name)) for name in names]
    said = [tag("li", line) for line in left.record.said]
    return joined(
        table(
            "Steps in the order of work",
            ("step", "what", "time", "memory", "rows", "why"),
            rows,
            numbers=("time", "memory"),
        ),
        tag("ul", *said, class_="quiet") if said else "",
    )


def _row(name: str, step: StepRecord | None) -> tuple[Html | str, ...]:
    if step is None:
        return (name, tag("span", "not reached", class_="quiet"), "", "", "", "")
    reasons = [tag("div", reason) for reason in step.reasons]
    rows = ", ".join(f"{what} {figure(count)}" for what, count in step.rows.items())
    return (
        name,
        tag("span", step.done, class_=f"mark {COLOURS[step.done]}".strip()),
        "" if step.done == "reused" else duration(step.seconds),
        "" if step.peak_mib is None else f"{step.peak_mib:,} MiB",
        rows,
        joined(*reasons),
    )
