"""Rows of a database brought here: the columns that are needed, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from mlspec.engine.database import database, settle
from mlspec.engine.preparing.beside_rows import not_one_place
from mlspec.errors import StepError
from mlspec.sdk.context import Context


def needed(data: Mapping[str, Any], split_reads: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that encoding, measures and segments need.

    Args:
        data: The `data` section.
        split_reads: What the split reads.
        more: What slices and segments read.
    """
    time = data.get("event_time")
    names = [*(data.get("key") or ()), *data["features"], data["target"]["column"]]
    names += [data["weight"]] if data.get("weight") else []
    names += [time["column"]] if time else []
    return tuple(dict.fromkeys([*names, *split_reads, *more]))


def moved(rows: ibis.Table, names: Iterable[str], count: int, context: Context) -> ibis.Table:
    """Return rows with their place and split in a database of this step's own, as `mlspec_assigned`.

    Args:
        rows: Assigned rows where they lie.
        names: The columns to bring; they stay in the order of the source.
        count: How many rows there are.
        context: Where to spill; told of progress.

    Raises:
        StepError: the rows cannot be taken, or are not as many as there are.
    """
    chosen = set(names)
    wanted = ["mlspec_row", *(name for name in rows.columns if name in chosen), "mlspec_split"]
    connection = database(context)
    con = connection.con
    done, last = 0, -1
    try:
        for batch in rows.select(wanted).order_by("mlspec_row").to_pyarrow_batches():
            con.register("mlspec_batch", pa.Table.from_batches([batch]))
            con.execute("CREATE TABLE IF NOT EXISTS mlspec_assigned AS SELECT * FROM mlspec_batch LIMIT 0")
            con.execute("INSERT INTO mlspec_assigned SELECT * FROM mlspec_batch")
            con.unregister("mlspec_batch")
            places = batch.column("mlspec_row").to_numpy()
            if len(places) and (places[0] <= last or (places[1:] <= places[:-1]).any()):
                raise not_one_place("chosen")
            last, done = (int(places[-1]) if len(places) else last), done + batch.num_rows
            context.progress(done, count, "rows")
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise StepError(f"the rows cannot be taken over: {first}", where="data.source") from error
    if done != count:
        raise not_one_place("chosen")
    settle(connection)
    found: ibis.Table = connection.table("mlspec_assigned")
    return found
