"""From a server's column to a typed one, in the server's SQL: the same value and the same faults as here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from mlspec.engine.pushdown.server_column import ServerColumn
from mlspec.engine.reading.cast import EXACT
from mlspec.engine.reading.local_time import local_offset
from mlspec.engine.reading.role import Role
from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError
from mlspec.sdk.contract import NULL, JsonType

BEYOND = 2**1024 - 2**970
"""Numbers from here on are infinite as float64."""
BENEATH = "2.4703282292062327e-324"
"""Numbers below are 0 as float64; a server refuses to make it of them."""
DTYPES = {
    "smallint": "int16", "integer": "int32", "bigint": "int64", "real": "float32",
    "double precision": "float64", "boolean": "boolean", "date": "date",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamp('UTC')",
}  # fmt: skip
JSON: dict[str, JsonType] = {"integer": "integer", "boolean": "boolean", "float": "number"}


@dataclass(frozen=True)
class Typed:
    """How one column is read where it lies; `engine.reading.cast.Cast` is its like for rows that are here."""

    role: Role
    dtype: str
    """Ibis type of the typed value."""
    value: str
    raw: str
    checks: tuple[tuple[str, str], ...]
    type: JsonType | None
    inner: tuple[tuple[str, str], ...] = ()


def typed(role: Role, column: ServerColumn) -> Typed:
    """Return how a column is read in a role.

    Raises:
        StepError: no value of this type can be read so, or not in the database.
    """
    found = {"number": _number, "text": _text, "datetime": _datetime, "other": _other}[role.reads](
        role, column
    )
    return replace(found, checks=(*found.checks, *role.demands(found.value)))


def _number(role: Role, column: ServerColumn) -> Typed:
    raw = column.sql
    if column.form == "integer":
        beyond = (f"{raw} NOT BETWEEN -{EXACT} AND {EXACT}", "is an integer beyond 2^53")
        return Typed(role, "float64", f"{raw}::float8", column.shown, (beyond,), "integer")
    if column.form == "float":
        value = f"CASE WHEN {raw} <> 'NaN' THEN {raw}::float8 END"
        infinite = (f"{raw} IN ('Infinity', '-Infinity')", "is infinite")
        return Typed(role, "float64", value, column.shown, (infinite,), "number")
    if column.form == "numeric":
        value = (
            f"CASE WHEN abs({raw}) >= {BEYOND} THEN NULL WHEN abs({raw}) < {BENEATH} THEN 0 "
            f"ELSE {raw}::float8 END"
        )
        checks = (
            (f"abs({raw}) >= {BEYOND}", "is not a finite number"),
            (f"scale({raw}) = 0 AND abs({raw}) > {EXACT}", "is an integer beyond 2^53"),
        )
        return Typed(role, "float64", value, column.shown, checks, "number")
    if column.form == "text":
        raise _not_there(role, column, "numbers", "::float8")
    kind = {"boolean": "binary", "date": "datetime", "timestamp": "datetime", "instant": "datetime"}
    raise _refuse(role, column, f"its kind is {kind[column.form]}" if column.form in kind else "ignore it")


def _text(role: Role, column: ServerColumn) -> Typed:
    value = column.text
    if column.form in ("text", "uuid", "numeric"):
        fdd0 = (f"strpos({value}, {literal(NULL)}) > 0", "holds U+FDD0, which stands for null")
        return Typed(role, "string", value, value, (fdd0,), None)
    if column.form in ("integer", "boolean"):
        return Typed(role, "string", value, value, (), JSON[column.form])
    floats = column.form == "float"
    fix = (
        "its kind is number, or store it as integers or text"
        if floats
        else "its kind is datetime, or ignore it"
    )
    raise _refuse(role, column, fix)


def _datetime(role: Role, column: ServerColumn) -> Typed:
    raw, form = column.sql, column.form
    if form == "text":
        raise _not_there(role, column, "times", "::timestamptz")
    if form not in ("instant", "timestamp", "date"):
        raise _refuse(role, column, "its kind is number or category, or store it as timestamps")
    finite, infinite = f"isfinite({raw})", ((f"NOT isfinite({raw})", "is infinite"),)
    if form == "instant":
        value = f"CASE WHEN {finite} THEN date_trunc('milliseconds', {raw}) END"
        return Typed(role, "timestamp('UTC')", value, column.shown, infinite, "datetime")
    if not role.timezone:
        raise StepError(
            f"column '{role.column}' holds {form}s without a zone, which cannot be read as {role.kind}",
            where="data",
            fix="say the zone of its times: {kind: datetime, timezone: UTC}",
        )
    instant = f"({raw}::timestamp AT TIME ZONE 'UTC')"
    inner: tuple[tuple[str, str], ...] = ()
    if role.timezone != "UTC":
        # A server cuts names at 63 bytes.
        local = f"mlspec_local_{hashlib.md5(role.column.encode()).hexdigest()[:16]}"
        micros = f"CASE WHEN {finite} THEN (extract(epoch FROM {raw}::timestamp) * 1000000)::bigint END"
        inner = ((local, micros),)
        offset = local_offset(local, role.timezone)
        instant = f"({instant} - make_interval(secs => ({offset}) / 1000000.0))"
    value = f"CASE WHEN {finite} THEN date_trunc('milliseconds', {instant}) END"
    return Typed(role, "timestamp('UTC')", value, column.shown, infinite, "datetime", inner)


def _other(role: Role, column: ServerColumn) -> Typed:
    if column.form in ("text", "uuid", "numeric"):
        return Typed(role, "string", column.text, column.text, (), "string")
    if column.form == "other":
        raise StepError(
            f"column '{role.column}' holds {column.type}",
            where="data",
            fix=f"convert it in data.source.query, or ignore: [{role.column}]",
        )
    return Typed(role, DTYPES[column.type], column.sql, column.shown, (), JSON.get(column.form, "datetime"))


def _not_there(role: Role, column: ServerColumn, what: str, cast: str) -> StepError:
    return StepError(
        f"column '{role.column}' holds {column.type}, and texts are read as {what} only here, not in the "
        "database",
        where="data.source.compute",
        fix=f"convert it in data.source.query ({quote(role.column)}{cast}), or set compute: here",
    )


def _refuse(role: Role, column: ServerColumn, fix: str) -> StepError:
    return StepError(
        f"column '{role.column}' holds {column.type}, which cannot be read as {role.kind or 'a column'}",
        where="data",
        fix=fix,
    )
