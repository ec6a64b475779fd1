"""Rows beside their split, wherever they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from mlspec.engine.ask import here
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.split import Split, SplitColumns

SPLITS = ("train", "val", "test")


def assigned(
    reading: Reading, data: Mapping[str, Any], seed: int, context: Context
) -> tuple[ibis.Table, dict[str, int]]:
    """Return the rows with `mlspec_split`, and how many rows each split has.

    Rows that are here are kept once with their split, as `mlspec_assigned`. Of rows in a database the table
    is an expression that runs there, and works out the splits in each query.

    Args:
        reading: The rows.
        data: The `data` section.
        seed: Of the spec.
        context: Told of an empty val.

    Raises:
        StepError: the split does not suit the rows, or leaves none to train or test.
    """
    split: Split = Slot("split").choose(freeze(data["split"]))  # type: ignore[assignment]
    time = data.get("event_time")
    columns = SplitColumns(
        target=data["target"]["column"],
        stratify=data["target"]["kind"] != "number",
        event_time=time["column"] if time else None,
        key=tuple(data.get("key") or ()),
    )
    table = split.assign(reading.table, seed, columns)
    if here(table):
        backend: Any = reading.table.get_backend()
        found = _keep_splits(backend.con, ibis.to_sql(table, dialect="duckdb"), split.kind)
        table = backend.table("mlspec_assigned")
    else:
        counted = table.group_by("mlspec_split").aggregate(rows=lambda rows: rows.count()).to_pyarrow()
        found = dict(zip(counted["mlspec_split"].to_pylist(), counted["rows"].to_pylist(), strict=True))
        if sum(found.values()) != reading.rows - reading.rejected:
            raise not_one_place(split.kind)
    return table, _counts(found, split, context)


def not_one_place(kind: str) -> StepError:
    """Return the error of a split that loses or doubles rows."""
    return StepError(
        f"the {kind} split does not give each row one place", where="data.split", fix="mend its 'assign'"
    )


def _counts(found: Mapping[str, int], split: Split, context: Context) -> dict[str, int]:
    strange = [word for word in found if word not in SPLITS]
    if strange:
        raise StepError(f"the {split.kind} split puts rows into '{strange[0]}'", where="data.split")
    counts = {name: int(found.get(name, 0)) for name in SPLITS}
    told = ", ".join(f"{name} {rows}" for name, rows in counts.items())
    if counts["val"] == 0 and split.has_val():
        context.say(f"the {split.kind} split leaves no row to val ({told})")
    for name in ("train", "test"):
        if counts[name] == 0:
            raise StepError(
                f"the {split.kind} split leaves no row to {name} ({told})",
                where="data.split",
                fix="give it a larger share, or more rows",
            )
    return counts


def _keep_splits(connection: Any, query: str, kind: str) -> dict[str, int]:
    """Make `mlspec_assigned`, the rows beside their split, and return the rows of each split.

    Only the splits are kept anew and brought into the order of rows: the rows themselves lie in that order.
    """
    connection.execute(
        "CREATE TABLE mlspec_parts AS SELECT mlspec_row AS place, mlspec_split "
        f"FROM ({query}) ORDER BY mlspec_row"
    )
    beside = "mlspec_rows AS own POSITIONAL JOIN mlspec_parts AS parts"
    strays = connection.execute(
        f"SELECT count(*) FROM {beside} WHERE own.mlspec_row IS DISTINCT FROM parts.place"
    ).fetchone()[0]
    if strays:
        raise not_one_place(kind)
    connection.execute(f"CREATE VIEW mlspec_assigned AS SELECT own.*, parts.mlspec_split FROM {beside}")
    return dict(connection.execute("SELECT mlspec_split, count(*) FROM mlspec_parts GROUP BY ALL").fetchall())
