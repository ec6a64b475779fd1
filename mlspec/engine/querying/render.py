"""Terms in a database's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mlspec.engine.graph.blocks import MISSING
from mlspec.engine.querying.dialect import Dialect, number, text
from mlspec.engine.querying.term import Term
from mlspec.engine.querying.trees import Branch
from mlspec.sdk.contract import NULL

TWICE = frozenset({"scaled", "real", "first greatest", "tree", "code", "choose", "instant"})
"""Words that say a part more than once, so that it gets a name."""
FAR = 100.0
"""Beyond it a sigmoid and a power of e are 0 or 1 in float32, and PostgreSQL refuses numbers that vanish."""
NOTHING = 2.0**-150
"""What is not farther from 0 is 0 in float32."""
_FEW = 4
"""Values that are looked at one after the other."""


def render(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    """Return what a term does, as text; `parts` are what it is made of, as text."""
    if term.word in _PLAIN:
        return _PLAIN[term.word].format(*parts)
    return _OTHERS[term.word](term, parts, dialect)


_PLAIN: Mapping[str, str] = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "div": "({} / {})",
    "neg": "(-{})",
    "floor": "floor({})",
    "max": "greatest({}, {})",
    "min": "least({}, {})",
    "log": "ln({})",
    "where": "CASE WHEN {} THEN {} ELSE {} END",
    "missing": "({} IS NULL)",
    "at most": "({} <= {})",
    "less": "({} < {})",
    "at least": "({} >= {})",
    "greater": "({} > {})",
    "whole": "CAST({} AS integer)",
    "power": f"exp(greatest({{}}, {number(-FAR)}))",
    "sigmoid": f"CAST({number(1.0)} / ({number(1.0)} + exp(-greatest(least({{}}, {number(FAR)}), "
    f"{number(-FAR)}))) AS real)",
    "real": f"CASE WHEN abs({{0}}) <= {number(NOTHING)} THEN {number(0.0)} ELSE CAST({{0}} AS real) END",
}


def _constant(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    if isinstance(term.value, str):
        return text(term.value)
    if isinstance(term.value, bool):
        return "TRUE" if term.value else "FALSE"
    if isinstance(term.value, int):
        return f"({term.value})" if term.value < 0 else str(term.value)
    return number(term.value)


def _scaled(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    centre, factor, low, high, top, bottom, start, end = term.value
    (x,) = parts
    cases = []
    if top is not None:
        cases.append(f"WHEN {x} >= {number(top)} THEN {number(high)}")
    if bottom is not None:
        cases.append(f"WHEN {x} <= {number(bottom)} THEN {number(low)}")
    if start is not None and end is not None and start <= end:
        cases.append(f"WHEN {x} BETWEEN {number(start)} AND {number(end)} THEN {number(0.0)}")
    moved = f"({x} - {number(centre)})" if centre else x
    otherwise = f"CAST({moved} * {number(factor)} AS real)"
    return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise


def _greatest(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    return f"greatest({', '.join(parts)})"


def _first_greatest(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    cases = [
        f"WHEN {' AND '.join(f'{part} >= {other}' for other in parts if other is not part)} THEN {place}"
        for place, part in enumerate(parts[:-1])
    ]
    return f"CASE {' '.join(cases)} ELSE {len(parts) - 1} END" if cases else "0"


def _look_up(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    return f"{dialect.table(term.value)}[{parts[0]} + 1]"


def _choose(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    (place,) = parts
    cases = [f"WHEN {code} THEN {text(word)}" for code, word in enumerate(term.value)]
    return f"CASE {place} {' '.join(cases)} END"


def _code(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    table, default = term.value
    (word,) = parts
    keys = sorted((key.encode(), key, code) for key, code in table if key != NULL)
    missing = dict(table).get(NULL, MISSING)
    found = _halved(word, [(key, code) for _, key, code in keys], default)
    return f"CASE WHEN {word} IS NULL THEN {missing} ELSE {found} END"


def _halved(word: str, keys: Sequence[tuple[str, int]], default: int) -> str:
    """Return the search for a text among sorted ones, by halving."""
    if not keys:
        return str(default)
    if len(keys) <= _FEW:
        cases = " ".join(f"WHEN {text(key)} THEN {code}" for key, code in keys)
        return f"CASE {word} {cases} ELSE {default} END"
    middle = len(keys) // 2
    low, high = _halved(word, keys[:middle], default), _halved(word, keys[middle:], default)
    return f"CASE WHEN {word} < {text(keys[middle][0])} THEN {low} ELSE {high} END"


def _instant(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    starts, offsets = term.value
    clock, told = parts

    def offset(first: int, last: int) -> str:
        """Return the search for the offset behind the changes `first` to `last`."""
        if first == last:
            return number(offsets[first])
        middle = (first + last) // 2
        before, after = offset(first, middle), offset(middle + 1, last)
        return f"CASE WHEN {clock} < {number(starts[middle])} THEN {before} ELSE {after} END"

    return f"CASE WHEN {told} THEN {clock} - {offset(0, len(starts))} ELSE {clock} END"


def _tree(term: Term, parts: Sequence[str], dialect: Dialect) -> str:
    def below(node: Branch | float) -> str:
        if isinstance(node, float):
            return number(node)
        x = parts[node.part]
        holds = f"{x} <= {number(node.threshold)}"
        holds += f" OR {x} = 'NaN'::float8" if node.nan_left else ""
        return f"CASE WHEN {holds} THEN {below(node.left)} ELSE {below(node.right)} END"

    return below(term.value)


_OTHERS: Mapping[str, Callable[[Term, Sequence[str], Dialect], str]] = {
    "constant": _constant,
    "scaled": _scaled,
    "greatest": _greatest,
    "first greatest": _first_greatest,
    "look up": _look_up,
    "choose": _choose,
    "code": _code,
    "tree": _tree,
    "instant": _instant,
}
