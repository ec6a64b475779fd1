"""Held-out rows that the training split holds, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ibis

from mlspec.engine.plain_value import plain_value
from mlspec.engine.preparing.suspicion import Suspicion
from mlspec.engine.sql import quote

LOOKED = 2_000_000
"""Rows that are compared at most; of more, those whose content falls into a fraction of all hashes."""
SHARE = 0.01
"""The share of a held-out split from which copies are told."""
COPIES = 3
"""Copies from which they are told."""
REPETITIVE = 0.5
"""The share of distinct rows below which rows repeat by nature: a few columns with a few values."""
EXAMPLES = 5


def repeated_rows(
    rows: ibis.Table, columns: Sequence[str], keys: Sequence[str], count: int
) -> Iterator[Suspicion]:
    """Yield the held-out splits that hold rows of the training split, equal in features and target.

    Rows are chosen by a hash of their content, so that all copies of a row are looked at, or none.

    Args:
        rows: All rows with `mlspec_row` and `mlspec_split`.
        columns: Features and target.
        keys: Columns that name a row.
        count: How many rows there are.
    """
    connection = rows.get_backend().con
    content = ", ".join(quote(name) for name in columns)
    every = -(-count // LOOKED)
    hashed = f"""
        SELECT hash({content}) AS code, mlspec_split AS split, mlspec_row AS row
        FROM mlspec_assigned WHERE hash({content}) % {every} = 0
    """
    training = f"SELECT code, min(row) AS row FROM ({hashed}) WHERE split = 'train' GROUP BY code"
    looked, distinct = connection.execute(f"SELECT count(*), count(DISTINCT code) FROM ({hashed})").fetchone()
    if not looked or distinct < REPETITIVE * looked:
        return
    found = connection.execute(f"""
        SELECT held.split, count(*), count(training.code)
        FROM ({hashed}) held LEFT JOIN ({training}) training USING (code)
        WHERE held.split <> 'train' GROUP BY held.split ORDER BY held.split
    """).fetchall()
    for split, all_rows, copies in found:
        if copies < max(COPIES, SHARE * all_rows):
            continue
        pairs = connection.execute(f"""
            SELECT held.row, training.row FROM ({hashed}) held JOIN ({training}) training USING (code)
            WHERE held.split = '{split}' ORDER BY held.row LIMIT {EXAMPLES}
        """).fetchall()
        examples = [
            {"row": row, "train_row": other, **_named(rows, keys, row, other)} for row, other in pairs
        ]
        part = f" looked at (one in {every})" if every > 1 else ""
        text = (
            f"{copies} of {all_rows} rows of the {split} split{part} stand in the training split, too, alike "
            f"in every feature and the target, such as row {pairs[0][0]} and row {pairs[0][1]}: measures "
            "look too good; take the copies out, or keep them together with a hash split"
        )
        yield Suspicion(
            "repeated_rows",
            None,
            text,
            {"split": split, "rows": all_rows, "copies": copies, "one_in": every, "examples": examples},
        )


def _named(rows: ibis.Table, keys: Sequence[str], held: int, training: int) -> dict[str, object]:
    """Return the keys of two rows, where rows have keys."""
    if not keys:
        return {}
    found = rows.filter(rows.mlspec_row.isin([held, training])).select("mlspec_row", *keys).to_pyarrow()
    by_row = {row.pop("mlspec_row"): row for row in found.to_pylist()}
    return {
        name: {key: plain_value(value) for key, value in by_row[row].items()}
        for name, row in (("key", held), ("train_key", training))
    }
