"""From expressions to a server's SQL that means what DuckDB makes of them, or a refusal."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.postgres import PostgresCompiler

from mlspec.errors import StepError

SAME = (
    ops.Field, ops.Literal, ops.Alias, ops.And, ops.Or, ops.Not, ops.IsNull, ops.NotNull, ops.IsNan,
    ops.IsInf, ops.Between, ops.InValues, ops.SearchedCase, ops.SimpleCase, ops.IfElse, ops.Coalesce,
    ops.Greatest, ops.Least, ops.Clip, ops.Abs, ops.Negate, ops.Add, ops.Subtract, ops.Multiply,
    ops.BitwiseAnd, ops.BitwiseRightShift,
    ops.StringConcat, ops.StringLength, ops.Substring, ops.Strip, ops.StringContains, ops.StartsWith,
    ops.ExtractYear, ops.ExtractMonth, ops.ExtractDay, ops.ExtractHour,
    ops.Count, ops.CountStar, ops.CountDistinct, ops.StructColumn, ops.Min, ops.Max,
    ops.WindowFunction, ops.RowNumber, ops.MinRank, ops.SortKey,
)  # fmt: skip
"""What means the same there; arithmetic that leaves the finite numbers ends with an error of the server."""
OWN = (
    ops.Equals, ops.NotEquals, ops.Greater, ops.GreaterEqual, ops.Less, ops.LessEqual, ops.Sum, ops.Cast,
    ops.Divide, ops.FloorDivide, ops.Modulus, ops.Ceil, ops.Floor, ops.Round, ops.Median, ops.HexDigest,
    ops.ExtractEpochSeconds, ops.RegexSearch, ops.StringSQLLike,
)  # fmt: skip
"""What means the same as it is written here, or is refused."""
KNOWN = frozenset((*SAME, *OWN))
PLAIN = re.compile(r"[\^$()|?*+{},0-9A-Za-z_@ :/\[\]-]*")
"""Patterns that say the same to RE2 and to PostgreSQL."""
TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.]\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?")
LEAST = Fraction(2) ** -1075
"""Quotients up to it are 0 as float64; a server refuses to say so."""


class Compiler(PostgresCompiler):  # type: ignore[misc]
    """Writes expressions for PostgreSQL.

    Raises:
        StepError: an expression has not the same meaning there.
    """

    __slots__ = ()

    # Ibis writes what is here over a method of the same operation.
    SIMPLE_OPS: ClassVar[Any] = {
        op: name for op, name in PostgresCompiler.SIMPLE_OPS.items() if op is not ops.RegexSearch
    }

    def visit_node(self, op: ops.Node, **kwargs: Any) -> Any:
        """Return the SQL of one operation, if it is known to mean the same."""
        if isinstance(op, ops.Value) and type(op) not in KNOWN:
            raise refusal(_words(op))
        if isinstance(op, ops.Comparison):
            _comparable(op)
        return super().visit_node(op, **kwargs)

    def visit_Sum(self, op: ops.Sum, *, arg: Any, where: Any) -> Any:
        """Sum whole numbers; a sum of floats would depend on the order of rows."""
        if op.arg.dtype.is_floating():
            raise refusal("a sum of floats, which depends on the order of rows")
        return super().visit_Sum(op, arg=arg, where=where)

    def visit_Cast(self, op: ops.Cast, *, arg: Any, to: Any) -> Any:
        """Cast where both sides make the same of all values."""
        own = op.arg.dtype
        known = (
            own == to
            or isinstance(op.arg, ops.Literal)
            or (own.is_string() and to.is_string())
            or (
                own.is_integer()
                and (to.is_integer() or to.is_floating() or to.is_decimal() or to.is_string())
            )
            or (own.is_boolean() and to.is_string())
            or (own.is_floating() and (to.is_floating() or isinstance(op.arg, ops.Round)))
            or (own.is_decimal() and (to.is_string() or to.is_decimal()))
        )
        if not known:
            raise refusal(f"{own} as {to}")
        if own == to:
            return arg
        if own.is_string() and not isinstance(op.arg, ops.Literal):
            return arg
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_Divide(self, op: ops.Divide, *, left: Any, right: Any) -> Any:
        """Divide as floats; what is too small is 0, as it is here."""
        left, right = self.cast(left, dt.float64), self.cast(right, dt.float64)
        quotient = sge.Div(this=sge.paren(left), expression=sge.paren(right))
        divisor = _constant(op.right)
        if divisor is None or abs(divisor) < 2:
            return quotient
        least = Fraction(abs(divisor)) * LEAST
        limit = float(least)
        if Fraction(limit) > least:
            limit -= 5e-324
        small = sge.LTE(this=self.f.abs(left), expression=self.cast(sge.convert(repr(limit)), dt.float64))
        return self.if_(small, self.cast(sge.convert("0"), dt.float64), quotient)

    def visit_FloorDivide(self, op: ops.FloorDivide, *, left: Any, right: Any) -> Any:
        """Divide as floats, and round down."""
        left, right = self.cast(left, dt.float64), self.cast(right, dt.float64)
        return self.cast(self.f.floor(sge.Div(this=sge.paren(left), expression=sge.paren(right))), op.dtype)

    def visit_Modulus(self, op: ops.Modulus, *, left: Any, right: Any) -> Any:
        """Return the remainder of whole numbers."""
        if not (op.left.dtype.is_integer() and op.right.dtype.is_integer()):
            raise refusal("a remainder of floats")
        return super().visit_Modulus(op, left=left, right=right)

    def visit_Ceil(self, op: ops.Ceil, *, arg: Any) -> Any:
        """Round up."""
        return self.cast(self.f.ceil(self.cast(arg, dt.float64)), op.dtype)

    def visit_Floor(self, op: ops.Floor, *, arg: Any) -> Any:
        """Round down."""
        return self.cast(self.f.floor(self.cast(arg, dt.float64)), op.dtype)

    def visit_Round(self, op: ops.Round, *, arg: Any, digits: Any) -> Any:
        """Round to whole numbers, halves away from zero; a server's own way is to the even one."""
        if op.digits is not None and _constant(op.digits) != 0:
            raise refusal("rounding to decimal places")
        if op.arg.dtype.is_integer():
            return self.cast(arg, op.dtype)
        whole = self.f.trunc(arg)
        half = sge.EQ(this=self.f.abs(arg - whole), expression=self.cast(sge.convert("0.5"), dt.float64))
        return self.cast(self.if_(half, whole + self.f.sign(arg), self.f.round(arg)), op.dtype)

    def visit_Median(self, op: ops.Median, *, arg: Any, where: Any) -> Any:
        """Return half of the two middle values, or the one: interpolating as a server does may overflow."""
        if where is not None or not op.arg.dtype.is_floating():
            raise refusal("a median of these")
        low, high = (
            sge.WithinGroup(
                this=self.f.percentile_disc(sge.Literal.number("0.5")),
                expression=sge.Order(expressions=[sge.Ordered(this=arg, desc=desc, nulls_first=desc)]),
            )
            for desc in (False, True)
        )
        odd = sge.EQ(
            this=self.f.mod(self.f.count(arg), sge.Literal.number(2)), expression=sge.Literal.number(1)
        )
        return self.if_(odd, low, self._half(low) + self._half(high))

    def _half(self, value: Any) -> Any:
        small = sge.LTE(this=self.f.abs(value), expression=self.cast(sge.convert("5e-324"), dt.float64))
        zero, half = (self.cast(sge.convert(text), dt.float64) for text in ("0", "0.5"))
        return self.if_(small, zero, sge.Mul(this=value, expression=half))

    def visit_HexDigest(self, op: ops.HexDigest, *, arg: Any, how: str) -> Any:
        """Return the MD5 of a text as hexadecimal digits, which sort by their bytes."""
        if how != "md5":
            raise refusal(f"the hash {how}")
        return sge.Collate(this=self.f.md5(arg), expression=sg.to_identifier("C", quoted=True))

    def visit_ExtractEpochSeconds(self, op: ops.ExtractEpochSeconds, *, arg: Any) -> Any:
        """Return whole microseconds as seconds, by one division."""
        million = sge.Literal.number(1_000_000)
        micros = self.cast(sge.Mul(this=self.f.extract("epoch", arg), expression=million), dt.int64)
        return sge.paren(
            sge.Div(this=self.cast(micros, dt.float64), expression=self.cast(million, dt.float64))
        )

    def visit_RegexSearch(self, op: ops.RegexSearch, *, arg: Any, pattern: Any) -> Any:
        """Look for a pattern that both read alike."""
        text = _constant(op.pattern)
        if not isinstance(text, str) or not PLAIN.fullmatch(text) or "(?" in text or "[:" in text:
            raise refusal(f"the pattern {text!r}, which servers read otherwise,")
        return sge.RegexpLike(this=arg, expression=pattern)

    def visit_StringSQLLike(self, op: ops.StringSQLLike, *, arg: Any, pattern: Any, escape: Any) -> Any:
        """Compare with a pattern of `%` and `_`."""
        if "\\" in str(_constant(op.pattern)):
            raise refusal("a backslash in a pattern")
        return super().visit_StringSQLLike(op, arg=arg, pattern=pattern, escape=escape)


def refusal(what: str) -> StepError:
    """Return the error of what a database would answer otherwise."""
    return StepError(
        f"{what} cannot be computed in the database with the same result",
        where="data.source.compute",
        fix="set compute: here, or put it into data.source.query as a column",
    )


def _constant(op: ops.Node) -> Any:
    while isinstance(op, (ops.Cast, ops.Alias)):
        op = op.arg
    if not isinstance(op, ops.Literal):
        return None
    value = op.value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9.]+(e[+-]?[0-9]+)?", value):
        return float(value)
    return value


def _comparable(op: Any) -> None:
    left, right = op.left.dtype, op.right.dtype
    if left.is_string() == right.is_string() or left.is_null() or right.is_null():
        return
    text = op.left if left.is_string() else op.right
    other = right if left.is_string() else left
    told = text.value if isinstance(text, ops.Literal) else None
    if not (other.is_temporal() and isinstance(told, str) and TIME.fullmatch(told)):
        raise refusal(f"a comparison of {left} with {right}")


def _words(op: ops.Node) -> str:
    names = {"Lowercase": "lower", "Uppercase": "upper", "StringSQLILike": "ilike"}
    name = type(op).__name__
    return f"'{names.get(name) or re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name).lower()}'"
