"""From shares of rows to the word train, val or test."""

from __future__ import annotations

import ibis

from mlspec.sdk.split import Draw

DIGITS = 13
"""Hex digits of a hash that are looked at: 52 bits, which a float64 holds."""


def by_hash(text: ibis.Column, shares: tuple[float, float]) -> ibis.Column:
    """Return the split of each row by the MD5 hash of a text: no pass over the data, alike everywhere.

    Args:
        text: What decides; equal texts share a split.
        shares: Of train and of val (fractions 0-1); the rest is test.
    """
    digits = text.hexdigest("md5").substr(0, DIGITS)
    train, val = shares
    # Hex digits of one length have the order of the numbers they stand for.
    return ibis.cases(
        (digits < _limit(train), "train"),
        (digits < _limit(train + val), "val"),
        else_="test",
    )


def _limit(share: float) -> str:
    whole: int = 16**DIGITS
    number = round(share * whole)
    return "g" if number >= whole else f"{number:0{DIGITS}x}"


def by_draw(table: ibis.Table, draw: Draw) -> ibis.Table:
    """Return the table with `mlspec_split`, as a draw has it: to the row, by sorting all rows."""
    group = table[draw.group]
    window = ibis.window(group_by=group, order_by=[draw.text.hexdigest("md5"), table.mlspec_row])
    rank = ibis.row_number().over(window)
    rows = table.mlspec_row.count().over(ibis.window(group_by=group))
    return table.mutate(mlspec_split=by_rank(rank, rows, draw.shares))


def by_rank(rank: ibis.Column, rows: ibis.Column | int, shares: tuple[float, float]) -> ibis.Column:
    """Return the split of each row by its place in an order: exact to the row.

    Args:
        rank: 0-based place.
        rows: How many there are.
        shares: Of train and of val (fractions 0-1); the rest is test.
    """
    train, val = shares
    return ibis.cases(
        (rank + 1 <= last(rows, train), "train"), (rank + 1 <= last(rows, train + val), "val"), else_="test"
    )


def last(rows: ibis.Column | int, share: float) -> ibis.Column | float:
    """Return up to which 1-based place in an order rows belong to a share of them, as a float.

    Args:
        rows: How many there are.
        share: Of them (fraction 0-1).
    """
    count = rows if isinstance(rows, int) else rows.cast("float64")
    # To the nearest row; a half goes down whatever binary fractions make of it.
    return count * share + 0.5 - 1e-9
