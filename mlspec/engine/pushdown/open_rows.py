"""Rows of a server, typed and told of where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from mlspec.engine.pushdown.backend import ServerBackend
from mlspec.engine.pushdown.server_column import ServerColumn
from mlspec.engine.pushdown.snapshot import Snapshot
from mlspec.engine.pushdown.typed import typed
from mlspec.engine.pushdown.typed_rows import TypedRows
from mlspec.engine.reading.reading import Reading
from mlspec.engine.reading.reject import Reject
from mlspec.engine.reading.role import roles


def open_rows(data: Mapping[str, Any], snapshot: Snapshot) -> Reading:
    """Return a reading whose table are the rows in the database: its expressions run there.

    Args:
        data: The `data` section, or as much of it as is needed to read rows.
        snapshot: In which everything is asked; closing the reading closes it.

    Raises:
        StepError: the database refuses what is asked, or a column cannot be what the spec says there.
    """
    columns = snapshot.columns()
    by_name = {column.name: column for column in columns}
    found = tuple(typed(role, by_name[role.column]) for role in roles(data, [*by_name]))
    rows = TypedRows(snapshot.query, _order(snapshot, columns), found)
    ((count,),) = snapshot.rows(f"SELECT count(*) FROM ({snapshot.query}) AS mlspec_asked")
    sample = data.get("sample")
    if sample and sample < count:
        chosen = f"(mlspec_row * {sample}) % {count} < {sample}"
        rows, count = TypedRows(rows.query, rows.order, found, chosen), sample
    backend = ServerBackend(snapshot, rows.readable)
    schema = {"mlspec_row": "int64"} | {item.role.column: item.dtype for item in found}
    return Reading(
        table=backend.table_of(schema),
        rows=count,
        rejects=_rejects(snapshot, rows),
        types_told={item.role.column: item.type for item in found},
        max_rejects=float(data.get("max_rejects") or 0.0),
    )


def _order(snapshot: Snapshot, columns: Sequence[ServerColumn]) -> tuple[ServerColumn, ...]:
    """Return what gives rows their place: the columns that were asked for where they tell all rows apart, so
    that only they are sorted; else all columns behind them.
    """
    by_name = {column.name: column for column in columns}
    asked = tuple(by_name[name] for name in dict.fromkeys(snapshot.asked.order_by))
    if asked:
        each = ", ".join(column.order for column in asked)
        query = f"SELECT count(*) = count(DISTINCT ROW({each})) FROM ({snapshot.query}) AS mlspec_asked"
        if snapshot.rows(query) == [(True,)]:
            return asked
    return (*asked, *(column for column in columns if column not in asked))


def _rejects(snapshot: Snapshot, rows: TypedRows) -> tuple[Reject, ...]:
    if not rows.reasons:
        return ()
    ((some,),) = snapshot.rows(
        f"SELECT EXISTS (SELECT FROM ({rows.typed}) AS mlspec_typed WHERE mlspec_reject IS NOT NULL)"
    )
    if not some:
        return ()
    found = []
    for code, lines in groupby(snapshot.rows(rows.left_out), key=lambda line: line[0]):
        column, why = rows.reasons[code]
        first = list(lines)
        examples = tuple(f"row {row}: {'null' if raw is None else repr(raw)}" for _, _, row, raw in first)
        found.append(Reject(column, why, first[0][1], examples))
    return tuple(sorted(found, key=lambda item: (-item.rows, item.column or "", item.reason)))
