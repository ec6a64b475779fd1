"""What was lost of single files, as what was lost of all of them."""

from __future__ import annotations

from collections.abc import Iterable

from mlspec.sdk.source import Unreadable

SHOWN = 3
"""Rows of a reason that are shown."""


def together(files: Iterable[Iterable[Unreadable]]) -> tuple[Unreadable, ...]:
    """Return the unreadable rows of some files by reason, the first of each as examples.

    Example:
        >>> together([[Unreadable("cut", 4, ("a 1", "a 2", "a 3"))], [Unreadable("cut", 1, ("b 7",))]])
        (Unreadable(reason='cut', rows=5, examples=('a 1', 'a 2', 'a 3')),)
    """
    found: dict[str, Unreadable] = {}
    for item in (item for file in files for item in file):
        held = found.get(item.reason, Unreadable(item.reason, 0, ()))
        examples = (*held.examples, *item.examples)[:SHOWN]
        found[item.reason] = Unreadable(item.reason, held.rows + item.rows, examples)
    return tuple(found[reason] for reason in sorted(found))
