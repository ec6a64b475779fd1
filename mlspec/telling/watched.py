"""What a deployment saw, beside its training data: the page of `mlspec monitor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.charts.chart import Series, chart
from mlspec.telling.document import document
from mlspec.telling.drift_words import VERDICTS, changed_in, how
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.table import table

STYLES = {"drift": "bad", "too_few_rows": "warn", "stable": "good", "not_observed": "quiet"}
SHOWN = 200
"""Windows that the page lists, the latest; of older ones it tells the number."""


def watched(name: str, report: Mapping[str, Any]) -> bytes:
    """Return a report of `Monitor.compare` with its windows as one page, UTF-8.

    Args:
        name: What was watched.
        report: As `compare(..., by_window=True)` gives it.
    """
    inputs = [column for column in report["columns"] if column["part"] == "inputs"]
    answers = [column for column in report["columns"] if column["part"] == "answers"]
    sections = [
        ("Columns", _columns("Columns of the rows", inputs, report)),
        ("Answers", _columns("Answers of the model", answers, report)),
        ("Segments", _segments(report.get("segments", ()))),
        ("Missing traffic", _quiet(report.get("quiet", ()))),
        ("Windows", _windows(report.get("by_window", ()))),
        ("Not in here", _missing(report)),
    ]
    title = f"{name}: {report['since']} to {report['until']}"
    return document(title, _head(name, report), sections)


def _head(name: str, report: Mapping[str, Any]) -> Html:
    drifted = [column["column"] for column in report["columns"] if column["verdict"] == "drift"]
    vague = any(column["verdict"] == "too_few_rows" for column in report["columns"])
    verdict = "drift" if drifted else "too_few_rows" if vague else "stable"
    word, style = VERDICTS[verdict], STYLES[verdict]
    quiet = report.get("quiet", ())
    parts = [one for one in report.get("segments", ()) if one["verdict"] == "drift"]
    if parts and not drifted:
        word, style = VERDICTS["drift"], STYLES["drift"]
    elif quiet and not drifted:
        word, style = "missing traffic", "bad"
    count = f"{len(drifted)} of {len(report['columns'])} columns and answers changed. " if drifted else ""
    if parts:
        count += f"{len(parts)} of {len(report['segments'])} segments changed. "
    rows = f"{report['rows']:,} rows against {report['reference_rows']:,} of training."
    if quiet:
        rows += f" {len(quiet):,} window{'s' if len(quiet) > 1 else ''} saw too few rows."
    limits = (
        f"At most {report['false_alarms']:.0%} of what is told to have changed has not; "
        f"changes are told from a distance of {report['smallest_effect']:g}."
    )
    return tag(
        "header",
        tag("h1", name),
        tag(
            "p",
            tag("strong", f"{word[0].upper()}{word[1:]}", class_=f"word {style}"),
            " ",
            count + rows,
            class_=f"verdict {style}",
            role="status",
        ),
        tag("p", f"Windows from {report['since']} to {report['until']} · {limits}", class_="quiet"),
    )


def _columns(caption: str, columns: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> Html:
    if not columns:
        return Html("")
    order = list(VERDICTS)
    found = sorted(columns, key=lambda one: (order.index(one["verdict"]), -(one.get("effect") or 0.0)))
    rows = [
        (
            one["column"],
            _mark(one["verdict"]),
            *(
                (_figure(one["effect"]), _figure(one["adjusted_p"]), f"{one['rows']:,}", how(one))
                if one["verdict"] != "not_observed"
                else ("", "", "0", "")
            ),
        )
        for one in found
    ]
    head = ("column", "verdict", "change", "p", "rows", "of")
    return table(caption, head, rows, numbers=("change", "p", "rows"))


def _segments(segments: Sequence[Mapping[str, Any]]) -> Html:
    if not segments:
        return Html("")
    order = list(VERDICTS)
    rows = [
        (
            one["segment"],
            _mark(one["verdict"]),
            f"{one['rows']:,}",
            f"{one['reference_rows']:,}",
            ", ".join(changed_in(one)),
        )
        for one in sorted(segments, key=lambda one: order.index(one["verdict"]))
    ]
    head = ("segment", "verdict", "rows", "held out", "changed")
    told = table("Segments, the worst first", head, rows, numbers=("rows", "held out"))
    note = "Each segment is held against its own held-out rows; half of the error rate is theirs."
    return joined(told, tag("p", note, class_="quiet"))


def _windows(windows: Sequence[Mapping[str, Any]]) -> Html:
    if not windows:
        return Html("")
    shown = windows[-SHOWN:]
    rows = [
        (one["since"], _mark(one["verdict"]), f"{one['rows']:,}", ", ".join(one["columns"]))
        for one in shown[::-1]
    ]
    head = ("since", "verdict", "rows", "changed")
    told = table("Windows, latest first", head, rows, numbers=("rows",))
    note = tag(
        "p", "Each window is judged on its own: of many, some tell a change by chance.", class_="quiet"
    )
    if len(windows) > len(shown):
        note = joined(
            note, tag("p", f"{len(windows) - len(shown):,} earlier windows are not listed.", class_="quiet")
        )
    if len(shown) < 2:
        return joined(told, note)
    points = [(float(place), float(one["rows"])) for place, one in enumerate(shown)]
    picture = chart("Rows a window", [Series("rows", points)], "window", "rows")
    return joined(tag("div", picture, class_="charts"), told, note)


def _quiet(windows: Sequence[Mapping[str, Any]]) -> Html:
    if not windows:
        return Html("")
    shown = windows[-SHOWN:][::-1]
    rows = [
        (one["since"], one["until"], f"{one['rows']:,}", "up" if one["up"] else "not there") for one in shown
    ]
    told = table(
        "Windows with too few rows, latest first",
        ("since", "until", "rows", "service"),
        rows,
        numbers=("rows",),
    )
    more = len(windows) - len(shown)
    return joined(told, tag("p", f"{more:,} earlier ones are not listed.", class_="quiet") if more else "")


def _missing(report: Mapping[str, Any]) -> Html:
    lines = []
    if report["dropped"]:
        lines.append(f"{report['dropped']:,} rows came too fast to be watched.")
    if report.get("lost"):
        lines.append(f"About {report['lost']:,} rows were answered and are in no profile, or not yet.")
    lines += [f"Skipped: {line}" for line in report.get("skipped", ())]
    return tag("ul", *(tag("li", line) for line in lines)) if lines else Html("")


def _mark(verdict: str) -> Html:
    return tag("span", VERDICTS[verdict], class_=f"mark {STYLES[verdict]}")


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if 0.001 <= value < 1000 else f"{value:.3g}"
