"""From a raw column to a typed one, as SQL: the value, and what makes a row unreadable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlspec.engine.reading.local_time import local_time
from mlspec.engine.reading.role import Role
from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError
from mlspec.sdk.contract import NULL, JsonType

EXACT = 2**53
"""Integers beyond it have no float64 of their own."""
ISO = (
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.]\d{1,9})?)?"
    r"(Z|[+-]\d{2}(:?\d{2})?)?)?"
)
ZONED = r".*:\d{2}([.]\d+)?(Z|[+-]\d{2}(:?\d{2})?)"
WITHOUT_SECONDS = r"([T ]\d{2}:\d{2})(Z|[+-].*)"


@dataclass(frozen=True)
class Cast:
    """How one column is read."""

    role: Role
    value: str
    """SQL of the typed value; null where the raw value is null or unreadable."""
    raw: str
    """SQL of the raw value as text, for reports."""
    checks: tuple[tuple[str, str], ...]
    """`(condition in SQL, why)`: where one is true the row is unreadable."""
    type: JsonType | None
    """What the raw column holds; None where only its values tell: text may be whole numbers or booleans."""
    inner: tuple[tuple[str, str], ...] = ()
    """`(name, SQL)`: columns that `value` and `checks` need besides the raw one; see `cast_source`."""


def cast(role: Role, dtype: Any) -> Cast:
    """Return how a column of a type is read in a role.

    Args:
        role: What it is read as.
        dtype: The raw column's Ibis type.

    Raises:
        StepError: no value of this type can be read so.
    """
    raw = quote(role.column)
    form = _form(dtype)
    found = {"number": _number, "text": _text, "datetime": _datetime, "other": _other}[role.reads](
        role, raw, form, dtype
    )
    return replace(found, checks=(*found.checks, *role.demands(found.value)))


def _form(dtype: Any) -> str:
    tests: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("json", dtype.is_json),
        ("text", dtype.is_string),
        ("uuid", dtype.is_uuid),
        ("boolean", dtype.is_boolean),
        ("integer", dtype.is_integer),
        ("float", dtype.is_floating),
        ("decimal", dtype.is_decimal),
        ("date", dtype.is_date),
        ("timestamp", dtype.is_timestamp),
    )
    for name, test in tests:
        if test():
            return "instant" if name == "timestamp" and dtype.timezone else name
    return "nested"


def _refuse(role: Role, dtype: Any, fix: str) -> StepError:
    return StepError(
        f"column '{role.column}' holds {dtype}, which cannot be read as {role.kind or 'a column'}",
        where="data",
        fix=fix,
    )


def _parsed_number(raw: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    value = f"TRY_CAST({raw} AS DOUBLE)"
    bad = f"{raw} IS NOT NULL AND ({value} IS NULL OR NOT isfinite({value}) OR contains({raw}, '_'))"
    huge = (
        f"abs({value}) >= {EXACT} AND regexp_full_match({raw}, '\\s*[+-]?[0-9]+\\s*') "
        f"AND coalesce(TRY_CAST({raw} AS HUGEINT) NOT BETWEEN -{EXACT} AND {EXACT}, true)"
    )
    return value, ((bad, "is not a finite number"), (huge, "is an integer beyond 2^53"))


def _number(role: Role, raw: str, form: str, dtype: Any) -> Cast:
    beyond = ((f"{raw} NOT BETWEEN -{EXACT} AND {EXACT}", "is an integer beyond 2^53"),)
    if form == "text":
        value, checks = _parsed_number(raw)
        return Cast(role, value, raw, checks, "number")
    if form == "json":
        text = f"({raw} ->> '$')"
        value, checks = _parsed_number(text)
        kind = f"json_type({raw})"
        wrong = f"{kind} NOT IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE', 'NULL')"
        value = f"CASE WHEN {wrong} THEN NULL ELSE {value} END"
        return Cast(
            role, value, f"CAST({raw} AS VARCHAR)", ((wrong, "is not a JSON number"), *checks), "number"
        )
    if form == "integer":
        return Cast(role, f"CAST({raw} AS DOUBLE)", f"CAST({raw} AS VARCHAR)", beyond, "integer")
    if form == "decimal":
        return Cast(
            role,
            f"CAST({raw} AS DOUBLE)",
            f"CAST({raw} AS VARCHAR)",
            beyond if dtype.scale == 0 else (),
            "number",
        )
    if form == "float":
        value = f"CAST({raw} AS DOUBLE)"
        if role.nan:
            value = f"CASE WHEN isnan({raw}) THEN NULL ELSE {value} END"
        return Cast(role, value, f"CAST({raw} AS VARCHAR)", ((f"isinf({raw})", "is infinite"),), "number")
    fix = {
        "boolean": "its kind is binary",
        "date": "its kind is datetime",
        "timestamp": "its kind is datetime",
        "instant": "its kind is datetime",
    }
    raise _refuse(role, dtype, fix.get(form, "ignore it"))


def _text(role: Role, raw: str, form: str, dtype: Any) -> Cast:
    if form in ("text", "uuid", "json"):
        value = {"text": raw, "uuid": f"CAST({raw} AS VARCHAR)", "json": f"({raw} ->> '$')"}[form]
        checks: tuple[tuple[str, str], ...] = (
            (f"contains({value}, chr(0))", "holds NUL"),
            (f"contains({value}, {literal(NULL)})", "holds U+FDD0, which stands for null"),
        )
        if form == "json":
            kind = f"json_type({raw})"
            checks = (
                (f"{kind} = 'DOUBLE'", f"is a float, and {role.kind} takes text, integers or booleans"),
                (f"{kind} IN ('OBJECT', 'ARRAY')", "is nested"),
                *checks,
            )
        return Cast(role, value, f"CAST({raw} AS VARCHAR)" if form == "json" else value, checks, None)
    if form in ("integer", "boolean"):
        value = f"CAST({raw} AS VARCHAR)"
        return Cast(role, value, value, (), "integer" if form == "integer" else "boolean")
    fix = {"float": "its kind is number, or store it as integers or text", "decimal": "its kind is number"}
    raise _refuse(role, dtype, fix.get(form, "its kind is datetime, or ignore it"))


def _datetime(role: Role, raw: str, form: str, dtype: Any) -> Cast:
    local, instant = (quote(f"mlspec_{part} {role.column}") for part in ("local", "instant"))

    def told(naive: str, exact: str | None, checks: tuple[tuple[str, str], ...]) -> Cast:
        """Return the cast of an instant in microseconds, or of a naive time, whichever is not null."""
        found = local_time(local, role.timezone) if role.timezone else "NULL"
        micros = f"coalesce({instant}, {found})"
        value = f"make_timestamptz({micros} - ({micros} % 1000 + 1000) % 1000)"
        inner = (
            (local, f"epoch_us({naive})"),
            (instant, f"epoch_us({exact})" if exact else "CAST(NULL AS BIGINT)"),
        )
        return Cast(role, value, f"CAST({raw} AS VARCHAR)", checks, "datetime", inner)

    if form in ("text", "json"):
        text = raw if form == "text" else f"({raw} ->> '$')"
        iso = f"regexp_full_match({text}, {literal(ISO)})"
        zoned = f"regexp_full_match({text}, {literal(ZONED)})"
        full = f"regexp_replace({text}, {literal(WITHOUT_SECONDS)}, '\\1:00\\2')"
        exact = f"CASE WHEN {iso} AND {zoned} THEN TRY_CAST({full} AS TIMESTAMPTZ) END"
        naive = f"CASE WHEN {iso} AND NOT {zoned} THEN TRY_CAST({text} AS TIMESTAMP) END"
        unreadable = f"{text} IS NOT NULL AND {local} IS NULL AND {instant} IS NULL"
        checks: tuple[tuple[str, str], ...] = ((unreadable, "is no ISO 8601 time"),)
        if not role.timezone:
            checks += ((f"{local} IS NOT NULL", "names no zone, and 'timezone' says none"),)
        if form == "json":
            checks = ((f"json_type({raw}) NOT IN ('VARCHAR', 'NULL')", "is no ISO 8601 text"), *checks)
        return told(naive, exact, checks)
    if form not in ("instant", "timestamp", "date"):
        raise _refuse(role, dtype, "its kind is number or category, or store it as timestamps")
    infinite = ((f"NOT isfinite({raw})", "is infinite"),)
    if form == "instant":
        return told("CAST(NULL AS TIMESTAMP)", raw, infinite)
    if not role.timezone:
        fix = "say the zone of its times: {kind: datetime, timezone: UTC}"
        raise _refuse(role, f"{form}s without a zone", fix)
    return told(f"CAST({raw} AS TIMESTAMP)", None, infinite)


def _other(role: Role, raw: str, form: str, dtype: Any) -> Cast:
    shown = f"CAST({raw} AS VARCHAR)"
    if form in ("text", "uuid", "json"):
        value = {"text": raw, "uuid": shown, "json": f"({raw} ->> '$')"}[form]
        return Cast(role, value, value, (), "string")
    if form == "nested":
        raise StepError(f"column '{role.column}' holds {dtype}", where="data", fix=f"ignore: [{role.column}]")
    value = f"CAST({raw} AS DOUBLE)" if form == "decimal" else raw
    types: dict[str, JsonType] = {
        "integer": "integer",
        "boolean": "boolean",
        "float": "number",
        "decimal": "number",
    }
    return Cast(role, value, shown, (), types.get(form, "datetime"))


def cast_source(source: str, casts: Sequence[Cast]) -> str:
    """Return SQL of a source with the inner columns that its casts need."""
    inner = [f"{value} AS {name}" for item in casts for name, value in item.inner]
    return f"SELECT *, {', '.join(inner)} FROM ({source}) AS mlspec_inner" if inner else source
