"""One page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlspec.telling.html import Html, joined, tag

# Should a text ever become markup: nothing is run, and nothing is fetched.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, head: Html, sections: Sequence[tuple[str, Html]]) -> bytes:
    """Return a page, UTF-8: what is read first, a list of its sections, and the sections.

    Args:
        title: Of the window.
        head: What is read first.
        sections: Titles and contents, in the order of reading; one without content is left out.
    """
    told = [(name, content) for name, content in sections if content]
    links = [tag("li", tag("a", name, href=f"#{_id(name)}")) for name, _ in told]
    parts = [
        tag(
            "section",
            tag("h2", name, id=f"{_id(name)}-title"),
            content,
            id=_id(name),
            aria_labelledby=f"{_id(name)}-title",
        )
        for name, content in told
    ]
    meta = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(Path(__file__).with_name("page.css").read_text("utf-8"))),
    )
    contents = tag("nav", tag("ul", *links), aria_label="Contents")
    body = tag("body", head, contents, tag("main", *parts))
    return joined(Html("<!DOCTYPE html>\n"), tag("html", meta, body, lang="en"), Html("\n")).encode()


def _id(name: str) -> str:
    return name.lower().replace(" ", "-")
