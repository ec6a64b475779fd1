"""A text that a merge left with both sides in it."""

from __future__ import annotations


def sides(text: str) -> tuple[str, str] | None:
    r"""Return our side and theirs of a text with git's conflict markers; None where it has none.

    Example:
        >>> sides("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\nd\n")
        ('a\nb\nd\n', 'a\nc\nd\n')
    """
    ours: list[str] = []
    theirs: list[str] = []
    kept: tuple[list[str], ...] = (ours, theirs)
    found = False
    for line in text.splitlines(keepends=True):
        mark, rest = line[:7], line[7:].rstrip("\r\n")
        if mark == "<<<<<<<" and rest[:1] in ("", " "):
            kept, found = (ours,), True
        elif found and mark == "|||||||" and rest[:1] in ("", " "):
            kept = ()  # what both sides once were
        elif found and mark == "=======" and not rest:
            kept = (theirs,)
        elif found and mark == ">>>>>>>" and rest[:1] in ("", " "):
            kept = (ours, theirs)
        else:
            for side in kept:
                side.append(line)
    return ("".join(ours), "".join(theirs)) if found else None
