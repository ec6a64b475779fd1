"""The split of each row beside the rows themselves, which stay where they are."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.on_disk import PART, on_disk, parts
from mlspec.engine.preparing.drawn import drawn
from mlspec.engine.sql import literal
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.split import Draw

SPLITS = ("train", "val", "test")
_WORDS = ", ".join(map(literal, SPLITS))


def beside_rows(table: ibis.Table, kind: str, context: Context, draw: Draw | None = None) -> dict[str, int]:
    """Make the view `mlspec_assigned` of `mlspec_rows` and each row's split, and return the rows of each.

    Only the splits are kept, a byte a row, in the order of the rows: a positional join puts them beside the
    rows, and reads both in their order with any number of threads. What works the splits out may give them in
    any order.

    Args:
        table: The rows with `mlspec_split`, an expression over `mlspec_rows`.
        kind: Of the split, for messages.
        context: Where to work.
        draw: What the expression says, where it is a draw: rows are not sorted then.

    Raises:
        StepError: a row has no split, or several; or one of another name.
    """
    backend: Any = table.get_backend()
    connection = backend.con
    most, count = connection.execute(
        "SELECT coalesce(max(mlspec_row), -1) + 1, count(*) FROM mlspec_rows"
    ).fetchone()
    context.scratch.mkdir(parents=True, exist_ok=True)
    by_place = None if draw is None else drawn(backend.table("mlspec_rows"), draw, most, context)
    if by_place is None:
        by_place, given = _told(table, most, kind, context)
    else:
        given = count
    codes, done = on_disk(context.scratch, (count,), np.uint8), 0
    for batch in connection.execute("SELECT mlspec_row FROM mlspec_rows").to_arrow_reader(PART):
        codes[done : done + batch.num_rows] = by_place[batch.column(0).to_numpy()]
        done += batch.num_rows
    rows = sum(
        (np.bincount(codes[here], minlength=len(SPLITS) + 1) for here in parts(count)), np.zeros(4, int)
    )
    # As many as there are, none of them twice, and no row left without one.
    if given != count or rows[0] or sum(np.count_nonzero(by_place[here]) for here in parts(most)) != count:
        raise not_one_place(kind)
    connection.register("mlspec_codes", pa.table({"code": codes}))
    connection.execute(
        f"CREATE TABLE mlspec_parts AS SELECT CAST([{_WORDS}][code] AS ENUM ({_WORDS})) AS mlspec_split "
        "FROM mlspec_codes"
    )
    connection.unregister("mlspec_codes")
    connection.execute(
        "CREATE VIEW mlspec_assigned AS SELECT own.*, CAST(parts.mlspec_split AS VARCHAR) AS mlspec_split "
        "FROM mlspec_rows AS own POSITIONAL JOIN mlspec_parts AS parts"
    )
    return {word: int(rows[code]) for code, word in enumerate(SPLITS, 1)}


def _told(table: ibis.Table, most: int, kind: str, context: Context) -> tuple[NDArray[np.uint8], int]:
    """Return what an expression says of each place, 0 where it says nothing, and of how many rows."""
    words = ibis.to_sql(table.select("mlspec_row", "mlspec_split"), dialect="duckdb")
    by_place, given = on_disk(context.scratch, (most,), np.uint8), 0
    by_place[:] = 0
    connection: Any = table.get_backend().con
    for batch in connection.execute(str(words)).to_arrow_reader(PART):
        _take(batch, by_place, kind)
        given += batch.num_rows
    return by_place, given


def _take(batch: pa.RecordBatch, by_place: NDArray[np.uint8], kind: str) -> None:
    """Note the 1-based places in `SPLITS` of some rows' words."""
    place, word = batch.columns
    code = pc.index_in(word, value_set=pa.array(SPLITS, word.type))
    if code.null_count:
        raise no_split(kind, word.filter(pc.is_null(code))[0].as_py())
    places = place.to_numpy()
    if len(places) and not 0 <= places.min() <= places.max() < len(by_place):
        raise not_one_place(kind)
    by_place[places] = code.to_numpy() + 1


def not_one_place(kind: str) -> StepError:
    """Return the error of a split that loses or doubles rows."""
    return StepError(
        f"the {kind} split does not give each row one place", where="data.split", fix="mend its 'assign'"
    )


def no_split(kind: str, word: object) -> StepError:
    """Return the error of a split that says another word."""
    return StepError(f"the {kind} split puts rows into '{word}'", where="data.split")
