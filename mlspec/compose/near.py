"""The word that a user may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def distance(one: str, other: str) -> int:
    """Return how many letters must be changed, added, dropped or swapped with their neighbour (restricted
    Damerau).

    Example:
        >>> distance("epohcs", "epochs")
        1
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        oldest, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, oldest[j - 2] + 1)
            row.append(cost)
    return row[-1]


def near(word: str, words: Iterable[str], *, furthest: float = 0.4) -> str | None:
    """Return the nearest of some words, or None where none is near.

    Args:
        word: What the user wrote.
        words: What there is.
        furthest: Changed letters a letter (fraction 0-1) from which a word is not near any more.

    Example:
        >>> near("medain", ("none", "mean", "median"))
        'median'
    """
    best, least = None, 1.0
    low = word[:64].lower()
    for candidate in words:
        if candidate == word:
            return candidate
        other = candidate.lower()
        if abs(len(other) - len(low)) > furthest * max(len(other), len(low), 3) + 1:
            continue
        share = distance(low, other) / max(len(low), len(other), 1)
        if share <= furthest and share < least:
            best, least = candidate, share
    return best
