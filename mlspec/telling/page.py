"""The page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlspec.telling.html import Html, joined, tag
from mlspec.telling.left import Left
from mlspec.telling.sections.changes import changes
from mlspec.telling.sections.data import data
from mlspec.telling.sections.gates import gates
from mlspec.telling.sections.made_with import made_with
from mlspec.telling.sections.measures import measures
from mlspec.telling.sections.parity import parity
from mlspec.telling.sections.plots import plots
from mlspec.telling.sections.slices import slices
from mlspec.telling.sections.steps import steps
from mlspec.telling.sections.training import training
from mlspec.telling.sections.validation import validation
from mlspec.telling.sections.verdict import verdict

SECTIONS: tuple[tuple[str, Callable[[Left], Html]], ...] = (
    ("Gates", gates),
    ("Metrics", measures),
    ("What changed", changes),
    ("Plots", plots),
    ("Slices", slices),
    ("Training", training),
    ("Data", data),
    ("Validation", validation),
    ("Parity", parity),
    ("Plan", steps),
    ("Made with", made_with),
)
"""In the order of reading; one with nothing to tell is left out."""
# Should a text ever become markup: nothing is run, and nothing is fetched.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(left: Left) -> bytes:
    """Return a run as one page, UTF-8: the same bytes for the same files."""
    told = [(title, content) for title, write in SECTIONS if (content := write(left))]
    links = [tag("li", tag("a", title, href=f"#{_id(title)}")) for title, _ in told]
    sections = [
        tag(
            "section",
            tag("h2", title, id=f"{_id(title)}-title"),
            content,
            id=_id(title),
            aria_labelledby=f"{_id(title)}-title",
        )
        for title, content in told
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{left.record.name}: a run of {left.record.began:%Y-%m-%d %H:%M} UTC"),
        tag("style", Html(Path(__file__).with_name("page.css").read_text("utf-8"))),
    )
    contents = tag("nav", tag("ul", *links), aria_label="Contents")
    body = tag("body", verdict(left), contents, tag("main", *sections))
    return joined(Html("<!DOCTYPE html>\n"), tag("html", head, body, lang="en"), Html("\n")).encode()


def _id(title: str) -> str:
    return title.lower().replace(" ", "-")
