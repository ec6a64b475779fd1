"""From a user's SQL condition to an expression over a table: nothing but what is listed here can be said."""

from __future__ import annotations

import difflib
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import ibis
from ibis.common.exceptions import IbisError
from sqlglot import expressions as sql

from mlspec.engine.double import double
from mlspec.errors import StepError
from mlspec.sdk.condition import parse

DEEPEST = 64
"""Expressions inside of each other."""

_ALLOWED = "columns, constants, and or not, comparisons, between, in, like, is null, case, + - * / %"
_BINARY: Mapping[type[Any], Callable[[Any, Any], Any]] = {
    sql.And: operator.and_, sql.Or: operator.or_, sql.EQ: operator.eq, sql.NEQ: operator.ne,
    sql.GT: operator.gt, sql.GTE: operator.ge, sql.LT: operator.lt, sql.LTE: operator.le,
    sql.Add: operator.add, sql.Sub: operator.sub, sql.Mul: operator.mul, sql.Div: operator.truediv,
    sql.Mod: operator.mod, sql.IntDiv: operator.floordiv,
}  # fmt: skip
_CALLS: Mapping[str, Callable[..., Any]] = {
    "ABS": lambda value: value.abs(),
    "CEIL": lambda value: value.ceil(),
    "COALESCE": lambda *values: ibis.coalesce(*values),
    "CONTAINS": lambda text, part: text.contains(part),
    "DAY": lambda time: time.day(),
    "FLOOR": lambda value: value.floor(),
    "GREATEST": lambda *values: ibis.greatest(*values),
    "HOUR": lambda time: time.hour(),
    "LEAST": lambda *values: ibis.least(*values),
    "LENGTH": lambda text: text.length(),
    "LOWER": lambda text: text.lower(),
    "MONTH": lambda time: time.month(),
    "REGEXP_MATCHES": lambda text, pattern: text.re_search(pattern),
    "ROUND": lambda value, digits=0: value.round(digits),
    "STARTS_WITH": lambda text, part: text.startswith(part),
    "TRIM": lambda text: text.strip(),
    "UPPER": lambda text: text.upper(),
    "YEAR": lambda time: time.year(),
}
_NAMES: Mapping[type[Any], str] = {
    sql.Abs: "ABS", sql.Ceil: "CEIL", sql.Coalesce: "COALESCE", sql.Contains: "CONTAINS", sql.Day: "DAY",
    sql.Floor: "FLOOR", sql.Greatest: "GREATEST", sql.Least: "LEAST", sql.Length: "LENGTH",
    sql.Lower: "LOWER", sql.Month: "MONTH", sql.RegexpLike: "REGEXP_MATCHES", sql.Round: "ROUND",
    sql.StartsWith: "STARTS_WITH",
    sql.Trim: "TRIM", sql.Upper: "UPPER", sql.Year: "YEAR", sql.Hour: "HOUR",
}  # fmt: skip


def condition(table: ibis.Table, text: str) -> ibis.BooleanValue:
    """Return a boolean column that a condition describes.

    Columns, numbers, texts, true, false and null; `and or not`, comparisons, `between`, `in` with a list,
    `like`, `is null`, arithmetic, `case`, and a few functions. No subqueries, files or aggregates.

    Raises:
        StepError: it is no such condition, or names a column that is not there.
    """
    try:
        tree = parse(text)
    except ValueError as error:
        raise StepError(f"'{text}': {error}") from error
    try:
        found = _Reader(table, text).read(tree, 0)
    except (IbisError, TypeError, AttributeError, ValueError) as error:
        raise StepError(f"'{text}' does not suit the types of its columns: {_first(error)}") from error
    if not isinstance(found, ibis.Column) or not found.type().is_boolean():
        raise StepError(f"'{text}' is no condition on rows: it gives no true or false for each of them")
    return found


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]


class _Reader:
    def __init__(self, table: ibis.Table, text: str) -> None:
        self._table, self._text = table, text

    def read(self, node: sql.Expression, depth: int) -> Any:
        """Return what a node stands for."""
        if depth > DEEPEST:
            raise StepError(f"'{self._text}' nests too deeply")
        below = functools.partial(self.read, depth=depth + 1)
        if type(node) in _BINARY:
            if isinstance(node.this, sql.Null) or isinstance(node.expression, sql.Null):
                raise StepError(f"nothing equals null in '{self._text}'", fix="say: is null, is not null")
            return _BINARY[type(node)](below(node.this), below(node.expression))
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is not None:
            return handler(node, below)
        return self._call(node, below)

    def _refuse(self, node: sql.Expression) -> StepError:
        return StepError(
            f"'{node.sql(dialect='duckdb')}' is not allowed in the condition '{self._text}'",
            fix=f"{_ALLOWED}, {', '.join(map(str.lower, _CALLS))}",
        )

    def _column(self, node: sql.Column, below: Any) -> Any:
        if len(node.parts) != 1 or not isinstance(node.this, sql.Identifier):
            raise self._refuse(node)
        names = [name for name in self._table.columns if not name.startswith("mlspec_")]
        if node.name not in names:
            near = difflib.get_close_matches(node.name, names, 1)
            raise StepError(
                f"the condition '{self._text}' names no column of the data: '{node.name}'",
                fix=f"did you mean '{near[0]}'?"
                if near
                else "texts stand in single quotes, columns with odd names in double ones",
            )
        return self._table[node.name]

    def _literal(self, node: sql.Literal, below: Any) -> Any:
        if node.is_string:
            return ibis.literal(node.this)
        number = float(node.this)
        return ibis.literal(int(node.this)) if node.is_int and abs(number) < 2**53 else double(number)

    def _boolean(self, node: sql.Boolean, below: Any) -> Any:
        return ibis.literal(bool(node.this))

    def _null(self, node: sql.Null, below: Any) -> Any:
        return ibis.null()

    def _paren(self, node: sql.Paren, below: Any) -> Any:
        return below(node.this)

    def _not(self, node: sql.Not, below: Any) -> Any:
        # Written as NOT, what is asked of the whole would be asked of what stands behind it.
        return below(node.this) == ibis.literal(False)

    def _neg(self, node: sql.Neg, below: Any) -> Any:
        return -below(node.this)

    def _is(self, node: sql.Is, below: Any) -> Any:
        value, what = below(node.this), node.expression
        if isinstance(what, sql.Null):
            return value.isnull()
        if isinstance(what, sql.Boolean):
            return value.fill_null(not what.this) == bool(what.this)
        raise self._refuse(node)

    def _in(self, node: sql.In, below: Any) -> Any:
        if set(node.args) - {"this", "expressions"} and any(
            node.args.get(key) for key in ("query", "unnest", "field")
        ):
            raise self._refuse(node)
        return below(node.this).isin([below(item) for item in node.expressions])

    def _between(self, node: sql.Between, below: Any) -> Any:
        return below(node.this).between(below(node.args["low"]), below(node.args["high"]))

    def _like(self, node: sql.Like, below: Any) -> Any:
        return below(node.this).like(self._pattern(node))

    def _ilike(self, node: sql.ILike, below: Any) -> Any:
        return below(node.this).ilike(self._pattern(node))

    def _pattern(self, node: Any) -> str:
        if not isinstance(node.expression, sql.Literal) or not node.expression.is_string:
            raise self._refuse(node)
        return str(node.expression.this)

    def _case(self, node: sql.Case, below: Any) -> Any:
        if node.this is not None:
            raise self._refuse(node)
        default = node.args.get("default")
        branches = [(below(branch.this), below(branch.args["true"])) for branch in node.args["ifs"]]
        return ibis.cases(*branches, else_=below(default) if default is not None else None)

    def _call(self, node: sql.Expression, below: Any) -> Any:
        name = node.name.upper() if isinstance(node, sql.Anonymous) else _NAMES.get(type(node), "")
        known = {"this", "expression", "expressions", "decimals"}
        if name not in _CALLS or any(
            node.args[key] not in (None, False, True) for key in set(node.args) - known
        ):
            raise self._refuse(node)
        if isinstance(node, sql.Anonymous):
            return _CALLS[name](*map(below, node.expressions))
        first = [node.this] if isinstance(node.this, sql.Expression) else []
        rest = [
            node.args[key]
            for key in ("expression", "decimals")
            if isinstance(node.args.get(key), sql.Expression)
        ]
        return _CALLS[name](*map(below, [*first, *rest, *node.expressions]))
