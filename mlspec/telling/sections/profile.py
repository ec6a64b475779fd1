"""Where the time of a training went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.telling.figure import duration, figure, share
from mlspec.telling.html import Html, joined, tag
from mlspec.telling.table import table


def profile(told: Mapping[str, Any] | None, folder: str) -> Html:
    """Return the table of a training that was looked at; nothing where it was not.

    Args:
        told: The content of `profile.json`.
        folder: Where it and the trace lie, as the user calls it.
    """
    if not told or not told.get("parts"):
        return Html("")
    whole = told["seconds"]
    parts = [
        (one["part"], share(one["seconds"], whole), figure(one["seconds"]), figure(one["times"]))
        for one in told["parts"]
    ]
    head = ("part", "share", "seconds", "times")
    found = [
        tag("h3", "Where the time went"),
        tag("p", f"{duration(whole)} of training; a trace of some steps lies in {folder}/trace.json.gz."),
        table("Where the time of the training went", head, parts, numbers=head[1:]),
    ]
    operators = told.get("operators") or ()
    if operators:
        device = any(one["device_ms"] for one in operators)
        columns = ("operator", "calls", "own CPU ms", *(("own device ms",) if device else ()))
        rows = [
            (
                one["operator"],
                figure(one["calls"]),
                figure(one["cpu_ms"]),
                *((figure(one["device_ms"]),) if device else ()),
            )
            for one in operators
        ]
        found.append(table("Operators of the traced steps", columns, rows, numbers=columns[1:]))
    return joined(*found)
