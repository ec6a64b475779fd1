"""How columns of codes share embedding tables; plain arithmetic, needed with torch and without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Columns whose vectors have one length: they lie in one table, one below the other."""

    width: int
    """Numbers a vector holds."""
    columns: tuple[int, ...]
    """Places among the code columns."""
    offsets: tuple[int, ...]
    """First line of each of these columns in the table."""
    rows: int
    """Lines of the table."""


def groups(sizes: Sequence[int], width_of: Callable[[int], int]) -> tuple[Group, ...]:
    """Return the tables for columns of so many codes each, widest vectors last.

    One table for many columns makes one look-up of many, in training and in the exported file.

    Example:
        >>> made = groups((5, 40, 5), lambda size: min(16, size // 2))
        >>> [(group.width, group.columns, group.offsets, group.rows) for group in made]
        [(2, (0, 2), (0, 5), 10), (16, (1,), (0,), 40)]
    """
    widths = [width_of(size) for size in sizes]
    made = []
    for width in sorted(set(widths)):
        columns = tuple(place for place, other in enumerate(widths) if other == width)
        offsets = tuple(sum(sizes[before] for before in columns[:place]) for place in range(len(columns)))
        made.append(Group(width, columns, offsets, sum(sizes[column] for column in columns)))
    return tuple(made)


def halves(sizes: Sequence[int], longest: int) -> tuple[Group, ...]:
    """Return the tables where a column of n codes has vectors of half of n numbers, `longest` at most.

    Example:
        >>> [(group.width, group.columns) for group in halves((2, 5, 400), longest=16)]
        [(1, (0,)), (3, (1,)), (16, (2,))]
    """
    return groups(sizes, lambda size: max(1, min(longest, (size + 1) // 2)))
