"""How a run ended, and what it measured: the first thing that is read."""

from __future__ import annotations

from mlspec.telling.charts.interval_bar import interval_bar
from mlspec.telling.figure import duration, figure
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.left import Left


def verdict(left: Left) -> Html:
    """Return the head of the page."""
    record = left.record
    word, style, sentence = _ended(left)
    words = [record.spec, *record.overrides, *(f"-c {overlay}" for overlay in record.overlays)]
    began = tag("time", f"{record.began:%Y-%m-%d %H:%M:%S} UTC", datetime=record.began.isoformat())
    commit = ""
    if record.git.revision:
        commit = f" · commit {record.git.revision[:12]}" + (" with changes" if record.git.dirty else "")
    return tag(
        "header",
        tag("h1", record.name),
        tag(
            "p",
            tag("strong", word, class_=f"word {style}"),
            " ",
            sentence,
            class_=f"verdict {style}",
            role="status",
        ),
        _failure(left),
        _measures(left),
        tag(
            "p",
            began,
            f" · took {duration(record.seconds)} · ",
            tag("code", " ".join(words)),
            commit,
            class_="quiet",
        ),
    )


def _ended(left: Left) -> tuple[str, str, str]:
    record = left.record
    looked = f"{len(record.steps)} steps"
    failed = [gate for gate in record.gates if not gate.passed]
    if record.ended == "interrupted":
        return (
            "Interrupted",
            "warn",
            f"This page is partial: the run was stopped after {looked} were looked at.",
        )
    if failed:
        count = f"{len(failed)} of {len(record.gates)} gates" if len(record.gates) > 1 else "The gate"
        return (
            "Gate failed",
            "bad",
            f"This page is partial: {count} did not hold, and nothing behind them was made.",
        )
    if record.ended == "failed":
        step = record.failure.step if record.failure else None
        where = f"at the step {step}" if step else "outside its steps"
        return "Failed", "bad", f"This page is partial: the run ended {where}."
    if record.gates:
        several = len(record.gates)
        held = (
            "its gate holds" if several == 1 else f"{'both' if several == 2 else f'all {several}'} gates hold"
        )
        return "Passed", "good", f"Every step that was asked for is done, and {held}."
    missing = len(set(left.planned) - {step.step for step in record.steps})
    if missing:
        steps = "1 step of the plan was" if missing == 1 else f"{missing} steps of the plan were"
        return "Done in part", "warn", f"This page is partial: {steps} not asked for. No gate was asked."
    return "Done", "good", "Every step is done. There is no gate that it had to pass."


def _failure(left: Left) -> Html:
    failure = left.record.failure
    if failure is None:
        return Html("")
    fix = tag("p", tag("b", "Fix: "), failure.fix) if failure.fix else ""
    return tag("div", tag("p", failure.what or failure.error), fix, class_="failure")


def _measures(left: Left) -> Html:
    groups = []
    for export, values in left.metrics().items():
        intervals = left.intervals(export)
        cards = [_card(name, value, intervals.get(name)) for name, value in values.items() if name != "rows"]
        several = len(left.metrics()) > 1
        title = tag("h2", f"Export {export}", class_="quiet") if several else ""
        groups.append(joined(title, tag("dl", *cards, class_="cards")))
    return joined(*groups)


def _card(name: str, value: object, between: tuple[float, float] | None) -> Html:
    told: Html | str = ""
    if between is not None and isinstance(value, int | float):
        text = f"{figure(between[0])} to {figure(between[1])}"
        told = joined(interval_bar(float(value), *between), tag("span", text, class_="quiet"))
    return tag("div", tag("dt", name), tag("dd", tag("b", figure(value)), told))
