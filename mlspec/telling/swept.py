"""The page of a sweep."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import median
from typing import Any

from mlspec.run.study import ranking
from mlspec.run.sweep import Swept
from mlspec.run.tried import Tried
from mlspec.spec.space import Dimension
from mlspec.telling.charts.chart import COLOURS, Series, chart
from mlspec.telling.document import document
from mlspec.telling.figure import duration, figure
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.table import table


def swept_page(swept: Swept) -> bytes:
    """Return a sweep as one page, UTF-8: the same bytes for the same trials."""
    sections = [
        ("Trials", _pictures(swept)),
        ("Parameters", _parameters(swept)),
        ("All trials", all_trials(swept)),
    ]
    return document(f"{swept.name}: a sweep", _head(swept), sections)


def shown(value: Any) -> str:
    """Return a parameter's value as a user would write it.

    Example:
        >>> shown(0.0123), shown([64, 64]), shown("tpe")
        ('0.0123', '[64, 64]', 'tpe')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _head(swept: Swept) -> Html:
    best, count = swept.best, _counts(swept.tried)
    if best is None:
        told = tag("strong", "No trial was trained to its end", class_="word bad")
        style = "bad"
    else:
        told = joined(
            tag("strong", f"{swept.metric} {figure(best.value)}", class_="word good"),
            f" on the val split, by trial {best.number}: ",
            ", ".join(f"{name} {shown(value)}" for name, value in best.values.items()),
        )
        style = "good"
    return tag(
        "header",
        tag("h1", f"{swept.name}: a sweep"),
        tag("p", told, class_=f"verdict {style}", role="status"),
        tag("p", f"{count}; {swept.better} is better; the test split was not looked at", class_="quiet"),
    )


def _counts(tried: Sequence[Tried]) -> str:
    words = (
        ("done", "trained to the end"),
        ("pruned", "stopped early"),
        ("failed", "failed"),
        ("open", "open"),
    )
    found = [(sum(one.state == state for one in tried), word) for state, word in words]
    return ", ".join(f"{count} {word}" for count, word in found if count)


def _pictures(swept: Swept) -> Html:
    done = [one for one in swept.tried if one.state == "done"]
    if not done:
        return Html("")
    best = max if swept.better == "higher" else min
    values = [(float(one.number), float(one.value or 0.0)) for one in done]
    line = [
        (at, value) for (at, _), value in zip(values, accumulate((v for _, v in values), best), strict=True)
    ]
    over = chart(
        "Trial by trial",
        [Series("best so far", line), Series("trained to the end", values, marks=True), *_pruned(swept)],
        "trial",
        swept.metric,
    )
    return tag("div", over, _curves(swept), class_="charts")


def _pruned(swept: Swept) -> list[Series]:
    points = [
        (float(one.number), float(one.value))
        for one in swept.tried
        if one.state == "pruned" and one.value is not None
    ]
    return [Series("stopped early", points, marks=True)] if points else []


def _curves(swept: Swept) -> Html:
    """Return the epochs of the best trials."""
    known = [one for one in ranking(swept.tried, swept.better) if len(one.curve) > 1][:COLOURS]
    if not known:
        return Html("")
    series = [
        Series(f"trial {one.number}", [(float(epoch), value) for epoch, value in one.curve]) for one in known
    ]
    return chart(f"The best {len(known)}, epoch by epoch", series, "epoch", swept.metric)


def _parameters(swept: Swept) -> Html:
    if not any(one.state == "done" for one in swept.tried):
        return Html("")
    numbers = [one for one in swept.dimensions if one.choices is None]
    charts = [_scatter(one, swept) for one in numbers]
    tables = [_choices(one, swept) for one in swept.dimensions if one.choices is not None]
    return joined(tag("div", *charts, class_="charts") if charts else "", *tables)


def _scatter(one: Dimension, swept: Swept) -> Html:
    def place(value: float) -> float:
        return math.log10(value) if one.searched.log else float(value)

    series = [
        Series(
            name,
            [
                (place(tried.values[one.name]), float(tried.value))
                for tried in swept.tried
                if tried.state == state and tried.value is not None
            ],
            marks=True,
        )
        for state, name in (("done", "trained to the end"), ("pruned", "stopped early"))
    ]
    across = f"{one.name}{', power of ten' if one.searched.log else ''}"
    return chart(one.name, [found for found in series if found.points], across, swept.metric)


def _choices(one: Dimension, swept: Swept) -> Html:
    rows = []
    best = max if swept.better == "higher" else min
    for choice in one.choices or ():
        found = [
            float(tried.value)
            for tried in swept.tried
            if tried.values.get(one.name) == choice and tried.state == "done" and tried.value is not None
        ]
        told = (figure(best(found)), figure(median(found))) if found else ("–", "–")
        rows.append((shown(choice), len(found), *told))
    head = (one.name, "trained to the end", "best", "median")
    return table(f"{one.name}: its choices", head, rows, numbers=head[1:])


def all_trials(swept: Swept) -> Html:
    """Return a line a trial, the best first."""
    names = [one.name for one in swept.dimensions]
    head = ("trial", swept.metric, "state", *names, "epochs", "took", "why")
    rows = [
        (
            one.number,
            figure(one.value),
            one.state,
            *(shown(one.values[name]) if name in one.values else "" for name in names),
            one.epochs or "",
            duration(one.seconds),
            one.reason or "",
        )
        for one in ranking(swept.tried, swept.better)
    ]
    return table("All trials", head, rows, numbers=("trial", swept.metric, "epochs", "took"))
