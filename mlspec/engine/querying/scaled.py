"""Rounding to float32 that no database refuses: at a number out of range PostgreSQL ends a query."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlspec.engine.querying.term import Term, Terms

_MOST = float(np.finfo(np.float64).max)


def real(terms: Terms, term: Term) -> Term:
    """Return a term rounded to float32.

    A number that is centred, scaled and cut is one term: the numbers from which it is cut, and those
    that become 0, are found here, so that nothing overflows or vanishes on the way.
    """
    if term.word in ("real", "look up", "scaled") or term.reach is not None:
        return term
    if term.word == "constant":
        return terms.constant(float(np.float32(term.value)))
    found = _parts(term)
    if found is None:
        return terms.of("real", term)
    x, centre, factor, low, high = found
    if low == high:
        return terms.constant(float(np.float32(low)))

    def scaled(value: float) -> float:
        with np.errstate(over="ignore", under="ignore"):
            return float((np.float64(value) - centre) * factor)

    def rounded(value: float) -> float:
        with np.errstate(over="ignore", under="ignore"):
            return float(np.float32(min(max(scaled(value), low), high)))

    bounds = (
        _first(lambda value: scaled(value) >= high),
        _last(lambda value: scaled(value) <= low),
        _first(lambda value: rounded(value) >= 0.0),
        _last(lambda value: rounded(value) <= 0.0),
    )
    return terms.of(
        "scaled", x, value=(centre, factor, float(np.float32(low)), float(np.float32(high)), *bounds)
    )


def _parts(term: Term) -> tuple[Term, float, float, float, float] | None:
    """Return x, centre, factor and bounds of `min(max((x - centre) * factor, low), high)`."""
    numbers = []
    for word in ("min", "max", "mul", "sub"):
        if term.word != word or term.parts[1].word != "constant":
            return None
        numbers.append(float(term.parts[1].value))
        term = term.parts[0]
    high, low, factor, centre = numbers
    return (term, centre, factor, low, high) if factor > 0 else None


def _first(holds: Callable[[float], bool]) -> float | None:
    """Return the least number for which something holds that holds for all greater ones, by halving."""
    if not holds(_MOST):
        return None
    low, high = _order(-_MOST) - 1, _order(_MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(_number(middle)) else (middle, high)
    return _number(high)


def _last(holds: Callable[[float], bool]) -> float | None:
    """Return the greatest number for which something holds that holds for all smaller ones."""
    found = _first(lambda value: holds(-value))
    return None if found is None else -found


def _order(value: float) -> int:
    """Return the place of a double among all of them; 0.0 is at 0."""
    bits = int(np.float64(abs(value)).view(np.int64))
    return bits if value >= 0 else -bits


def _number(order: int) -> float:
    value = float(np.int64(abs(order)).view(np.float64))
    return value if order >= 0 else -value
