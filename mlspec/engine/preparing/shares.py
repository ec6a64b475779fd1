"""From shares of rows to the word train, val or test."""

from __future__ import annotations

import ibis

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


def by_rank(rank: ibis.Column, rows: ibis.Column | int, shares: tuple[float, float]) -> ibis.Column:
    """Return the split of each row by its place in an order: exact to the row.

    Args:
        rank: 0-based place.
        rows: How many there are.
        shares: Of train and of val (fractions 0-1); the rest is test.
    """
    train, val = shares
    count = rows if isinstance(rows, int) else rows.cast("float64")

    def before(share: float) -> ibis.BooleanColumn:
        # To the nearest row; a half goes down whatever binary fractions make of it.
        limit = count * share + 0.5 - 1e-9
        return rank + 1 <= limit

    return ibis.cases((before(train), "train"), (before(train + val), "val"), else_="test")
