"""Held-out rows that the training split holds, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import ibis

from mlspec.engine.ask import ask, here
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
        rows: All rows with `mlspec_row` and `mlspec_split`, wherever they lie.
        columns: Features and target.
        keys: Columns that name a row.
        count: How many rows there are.
    """
    every = -(-count // LOOKED)
    with _hashed(rows, columns, every) as hashed:
        yield from _repeated(rows, hashed, keys, every)


@contextmanager
def _hashed(rows: ibis.Table, columns: Sequence[str], every: int) -> Iterator[Callable[[str], str]]:
    """Give what writes, for a source of rows, the query of hashes of their content."""
    content = ", ".join(quote(name) for name in columns)
    code, part_of = f"hash({content})", f"hash({content})"
    if not here(rows):
        code = f"md5(ROW({content})::text)"
        part_of = f"('x' || left({code}, 8))::bit(32)::bigint"

    def hashed(source: str) -> str:
        return (
            f"(SELECT {code} AS code, mlspec_split AS split, mlspec_row AS place FROM {source} "
            f"WHERE {part_of} % {every} = 0)"
        )

    if not here(rows):
        yield hashed
        return
    # All rows are read once; what is kept of them takes some tens of megabytes at most.
    connection = rows.get_backend().con
    connection.execute(f"CREATE TABLE mlspec_contents AS {hashed('mlspec_assigned')}")
    try:
        yield lambda _: "(SELECT * FROM mlspec_contents)"
    finally:
        connection.execute("DROP TABLE mlspec_contents")


def _repeated(
    rows: ibis.Table, hashed: Callable[[str], str], keys: Sequence[str], every: int
) -> Iterator[Suspicion]:
    def paired(source: str) -> str:
        training = (
            f"(SELECT code, min(place) AS place FROM {hashed(source)} AS first_ones WHERE split = 'train'"
        )
        return f"{hashed(source)} AS held LEFT JOIN {training} GROUP BY code) AS training USING (code)"

    ((looked, distinct),) = ask(
        rows, lambda source: f"SELECT count(*), count(DISTINCT code) FROM {hashed(source)} AS hashed"
    )
    if not looked or distinct < REPETITIVE * looked:
        return
    found = ask(
        rows,
        lambda source: (
            f"SELECT held.split, count(*), count(training.place) FROM {paired(source)} "
            "WHERE held.split <> 'train' GROUP BY held.split ORDER BY held.split"
        ),
    )
    for split, all_rows, copies in found:
        if copies < max(COPIES, SHARE * all_rows):
            continue
        pairs = _pairs(rows, paired, split)
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


def _pairs(rows: ibis.Table, paired: Callable[[str], str], split: str) -> list[tuple[int, int]]:
    """Return the first rows of a split that are copies, each with the row that it is a copy of."""
    return [
        (held, training)
        for held, training in ask(
            rows,
            lambda source: (
                f"SELECT held.place, training.place FROM {paired(source)} WHERE held.split = '{split}' "
                f"AND training.place IS NOT NULL ORDER BY held.place LIMIT {EXAMPLES}"
            ),
        )
    ]


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
