"""Markup whose texts cannot become markup."""

from __future__ import annotations

from html import escape
from typing import TypeAlias

VOID = frozenset({"br", "col", "meta", "path", "line", "circle", "rect"})
"""Elements without content."""
LONGEST = 300
"""Characters of one text of the data that are shown."""


class Html(str):
    """Text that is markup already. Everything else is escaped where it is put into an element."""


Part: TypeAlias = "str | int | float | None"


def tag(name: str, /, *content: Part, **attributes: Part) -> Html:
    """Return an element; content that is not `Html` is escaped, and an attribute of None is left out.

    Args:
        name: The element.
        content: What stands in it.
        attributes: A trailing underscore is dropped, an inner one becomes a hyphen.

    Example:
        >>> tag("p", "a < b", tag("b", 1), class_="note")
        '<p class="note">a &lt; b<b>1</b></p>'
    """
    words = [name]
    for key, value in attributes.items():
        if value is not None:
            words.append(f'{key.rstrip("_").replace("_", "-")}="{escape(clean(str(value)))}"')
    start = f"<{' '.join(words)}"
    if name in VOID:
        return Html(f"{start}/>")
    return Html(f"{start}>{joined(*content)}</{name}>")


def joined(*content: Part) -> Html:
    """Return parts one behind the other."""
    return Html("".join(part if isinstance(part, Html) else _text(part) for part in content))


def clean(text: str) -> str:
    """Return a text without what no page may hold: NUL, other controls, lone surrogates.

    Example:
        >>> clean("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
        True
    """
    return "".join(
        character
        if (character >= " " and not "\ud800" <= character <= "\udfff") or character in "\n\t"
        else "\ufffd"
        for character in text
    )


def _text(part: Part) -> str:
    if part is None:
        return ""
    text = clean(str(part))
    return escape(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
