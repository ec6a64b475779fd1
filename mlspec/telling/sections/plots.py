"""The pictures of an evaluation: known ones as their readers expect them, any other as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.telling.charts.chart import Series, chart
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.sections.confusion import confusion

Points = Sequence[Mapping[str, Any]]
SHARES = {
    "roc": ("ROC", "false_positive_rate", "true_positive_rate"),
    "precision_recall": ("Precision and recall", "recall", "precision"),
    "calibration": ("Calibration", "said", "seen"),
}
"""Curves whose both axes are shares: title, across, up."""
WORDS = {
    "said": "probability that was said",
    "seen": "share that was seen (bars: 95 %)",
}
ORDER = ("roc", "precision_recall", "calibration", "residuals")


def plots(left: Left) -> Html:
    """Return the pictures of each export."""
    parts = []
    for step in left.steps("evaluate"):
        found = left.plots(step)
        cells = left.read(step, "confusion.json")
        names = sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
        pictures = [confusion(cells)] if cells else []
        for name in names:
            # Its rows are counted, and all of them, in confusion.json.
            if name != "confusion" and found[name]:
                pictures += _pictures(name, found[name])
        if pictures:
            several = len(left.steps("evaluate")) > 1
            title = tag("h3", f"Export {step.step.partition('-')[2]}") if several else ""
            parts += [title, tag("div", *pictures, class_="charts")]
    return joined(*parts)


def _pictures(name: str, points: Points) -> list[Html]:
    if name in SHARES:
        title, across, up = SHARES[name]
        bounded = name == "calibration"
        series = _by_class(points, across, up, bounded)
        words = WORDS.get(across, across.replace("_", " ")), WORDS.get(up, up.replace("_", " "))
        return [chart(title, series, *words, ends=(0.0, 1.0), diagonal=name != "precision_recall")]
    if name == "residuals":
        return _residuals(points)
    numbers = [key for key, value in points[0].items() if isinstance(value, int | float)]
    if len(numbers) < 2:
        return []
    title = name.replace("_", " ").capitalize()
    return [chart(title, _by_class(points, numbers[0], numbers[1]), numbers[0], numbers[1])]


def _residuals(points: Points) -> list[Html]:
    against = [(float(one["predicted"]), float(one["actual"])) for one in points]
    over = [(float(one["predicted"]), float(one["residual"])) for one in points]
    return [
        chart(
            "Predicted and actual",
            [Series("rows", against, marks=True)],
            "predicted",
            "actual",
            diagonal=True,
        ),
        chart("Residuals", [Series("rows", over, marks=True)], "predicted", "residual", level=0.0),
    ]


def _by_class(points: Points, across: str, up: str, bounded: bool = False) -> list[Series]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in points:
        if one.get(across) is not None and one.get(up) is not None:
            groups.setdefault(str(one.get("class", "")), []).append(one)
    return [
        Series(
            name,
            [(float(one[across]), float(one[up])) for one in group],
            bounds=[
                (float(one[across]), float(one[f"{up}_low"]), float(one[f"{up}_high"]))
                for one in group
                if bounded and f"{up}_low" in one
            ],
        )
        for name, group in groups.items()
    ]
