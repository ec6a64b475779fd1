"""The rows, where they went, and what the columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.telling.charts.histogram import histogram
from mlspec.telling.figure import figure, share
from mlspec.telling.html import Html, Part, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.table import table

MOST = 300
"""Columns that are shown."""
SPLITS = ("train", "val", "test")
HEAD = ("column", "type", "used as", "nulls", "distinct", "low", "middle", "high", "on the training split")


def data(left: Left) -> Html:
    """Return rows by split, what was rejected, what looks suspicious, and a line for each column."""
    return joined(_rows(left), _rejects(left), _warnings(left), _columns(left))


def _rows(left: Left) -> Html:
    for step in left.steps("prepare"):
        ledger = left.read(step, "ledger.json")
        if ledger is None:
            continue
        read = ledger.get("read", 0)
        rejected = (ledger.get("rejected") or {}).get("rows", 0)
        rows = [
            *((name, figure(ledger[name]), share(ledger[name], read)) for name in SPLITS if name in ledger),
            ("rejected", figure(rejected), share(rejected, read)),
            ("read", figure(read), share(read, read)),
        ]
        return table("Rows by split", ("rows", "count", "share"), rows, numbers=("count", "share"))
    return Html("")


def _rejects(left: Left) -> Html:
    for step in left.steps("ingest"):
        reasons = (left.read(step, "rejects.json") or {}).get("reasons") or ()
        rows = [
            (one.get("column") or "(the row)", one["reason"], figure(one["rows"]), "; ".join(one["examples"]))
            for one in reasons
        ]
        if rows:
            head = ("column", "reason", "rows", "examples")
            return joined(
                tag("h3", "Rejected rows"), table("Rejected rows by reason", head, rows, numbers=("rows",))
            )
    return Html("")


def _warnings(left: Left) -> Html:
    for step in left.steps("prepare"):
        told = left.read(step, "warnings.json") or {}
        lines = [tag("li", one["text"]) for one in told.get("warnings") or ()]
        unlooked = tag("p", told["not_looked_for"]) if told.get("not_looked_for") else Html("")
        if lines:
            return joined(tag("h3", "Looks suspicious"), tag("ul", *lines, class_="warnings"), unlooked)
        if unlooked:
            return unlooked
    return Html("")


def _columns(left: Left) -> Html:
    types, known, rows = _ingested(left)
    if not types:
        return Html("")
    profiles, used = _prepared(left)
    lines = [
        _column(name, kind, used.get(name, ""), known.get(name) or {}, rows, profiles.get(name))
        for name, kind in list(types.items())[:MOST]
    ]
    left_out = len(types) - len(lines)
    note = f"{left_out:,} more columns are not shown here" if left_out else ""
    numbers = ("nulls", "distinct", "low", "middle", "high")
    return joined(
        tag("h3", f"{len(types):,} columns"),
        table("Columns with type, nulls and distribution", HEAD, lines, numbers=numbers),
        tag("p", note, class_="quiet") if note else "",
    )


def _ingested(left: Left) -> tuple[Mapping[str, str], Mapping[str, Any], int]:
    for step in left.steps("ingest"):
        manifest, found = left.read(step, "manifest.json") or {}, left.read(step, "statistics.json") or {}
        return manifest.get("columns") or {}, found.get("columns") or {}, int(found.get("rows") or 0)
    return {}, {}, 0


def _prepared(left: Left) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Return each column's profile on the training split, and what it is used as."""
    for step in left.steps("prepare"):
        inputs = (left.read(step, "features.json") or {}).get("inputs") or ()
        target = left.read(step, "target.json") or {}
        used = {one["name"]: one["kind"] for one in inputs}
        if "column" in target:
            used[target["column"]] = "target"
        return (left.read(step, "reference.json") or {}).get("columns") or {}, used
    return {}, {}


def _column(
    name: str, kind: str, used: str, known: Mapping[str, Any], rows: int, profile: Mapping[str, Any] | None
) -> tuple[Part, ...]:
    shares = known.get("quantiles") or {}
    frequent = ", ".join(f"{value} {share(count, rows)}" for value, count in (known.get("top") or ())[:3])
    picture = histogram(profile, f"distribution of {name}") if profile else ""
    if frequent:
        picture = joined(picture, tag("div", frequent, class_="quiet"))
    nulls = int(known.get("nulls") or 0)
    return (
        name,
        kind,
        used,
        share(nulls, rows),
        figure(known.get("distinct")),
        *(
            (figure(known.get("min")), figure(shares.get("0.5")), figure(known.get("max")))
            if shares
            else ("", "", "")
        ),
        picture,
    )
