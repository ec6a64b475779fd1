"""Rows beside their split, wherever they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from mlspec.engine.ask import here
from mlspec.engine.preparing.beside_rows import SPLITS, beside_rows, no_split, not_one_place
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.split import Split, SplitColumns


def assigned(
    reading: Reading, data: Mapping[str, Any], seed: int, context: Context
) -> tuple[ibis.Table, dict[str, int]]:
    """Return the rows with `mlspec_split`, and how many rows each split has.

    Of rows that are here, the splits are kept beside them, and `mlspec_assigned` is both. Of rows in a
    database the table is an expression that runs there, and works out the splits in each query.

    Args:
        reading: The rows.
        data: The `data` section.
        seed: Of the spec.
        context: Where to work; told of an empty val.

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
        found = beside_rows(table, split.kind, context, split.draw(reading.table, seed, columns))
        table = table.get_backend().table("mlspec_assigned")
    else:
        counted = table.group_by("mlspec_split").aggregate(rows=lambda rows: rows.count()).to_pyarrow()
        found = dict(zip(counted["mlspec_split"].to_pylist(), counted["rows"].to_pylist(), strict=True))
        if sum(found.values()) != reading.rows - reading.rejected:
            raise not_one_place(split.kind)
    return table, _counts(found, split, context)


def _counts(found: Mapping[str, int], split: Split, context: Context) -> dict[str, int]:
    strange = [word for word in found if word not in SPLITS]
    if strange:
        raise no_split(split.kind, strange[0])
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
