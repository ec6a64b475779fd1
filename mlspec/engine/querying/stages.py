"""Terms in the order in which they can be reckoned, and the steps of a query one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from mlspec.engine.querying.dialect import Dialect
from mlspec.engine.querying.render import TWICE, render
from mlspec.engine.querying.term import Term
from mlspec.errors import StepError

_LEAVES = frozenset({"column", "constant"})


class Stages:
    """Terms that get a name, in the order in which they can be reckoned.

    Args:
        answers: What is asked for.
        dialect: In whose words.
    """

    def __init__(self, answers: Sequence[Term], dialect: Dialect) -> None:
        self.dialect = dialect
        terms = _reachable(answers)
        self._named = _named(terms, answers)
        levels: dict[int, int] = {}
        needed: dict[str, int] = {}
        texts: dict[int, list[tuple[str, Term]]] = {}
        for term in terms:
            below = max((levels[part.place] for part in term.parts), default=0)
            levels[term.place] = below + 1 if term.place in self._named else below
            if term.place in self._named:
                texts.setdefault(below + 1, []).append((self.name(term), term))
        last = max(texts, default=0) + 1
        for term in terms:
            # A term without a name is reckoned where the named one above it is.
            if term.place in self._named:
                for name in self._leaves(term):
                    needed[name] = max(needed.get(name, 0), levels[term.place])
        for term in answers:
            for name in self._leaves(term) if term.place not in self._named else [self.name(term)]:
                needed[name] = last
        self.steps: list[list[str]] = []
        """What each step selects: the names that are needed behind it, and those that it makes."""
        carried = [name for name in needed if name[0] in "dn"]
        for level in range(1, last):
            carried = [name for name in carried if needed.get(name, 0) > level]
            fresh = [f"{self._inline(term)} AS {name}" for name, term in texts.get(level, [])]
            self.steps.append([*carried, *fresh])
            carried += [name for name, _ in texts.get(level, [])]

    def text(self, term: Term) -> str:
        """Return a term as the last SELECT says it."""
        return self.name(term) if term.place in self._named else self._inline(term)

    def name(self, term: Term) -> str:
        """Return what a term is called."""
        return str(term.value) if term.word == "column" else f"x{term.place}"

    def _inline(self, term: Term) -> str:
        if term.word == "column":
            return self.name(term)
        return render(term, [self.text(part) for part in term.parts], self.dialect)

    def _leaves(self, term: Term) -> set[str]:
        """Return the names that a term's own text says."""
        found: set[str] = set()
        if term.word == "column":
            return {self.name(term)}
        waiting = list(term.parts)
        while waiting:
            part = waiting.pop()
            if part.place in self._named or part.word == "column":
                found.add(self.name(part))
            else:
                waiting.extend(part.parts)
        return found


def _reachable(answers: Sequence[Term]) -> list[Term]:
    found: dict[int, Term] = {}
    waiting = list(answers)
    while waiting:
        term = waiting.pop()
        if term.place not in found:
            found[term.place] = term
            waiting.extend(term.parts)
    return [found[place] for place in sorted(found)]


def _named(terms: Sequence[Term], answers: Sequence[Term]) -> frozenset[int]:
    """Return the places of terms whose text would stand in more than one place."""
    uses: dict[int, int] = {}
    for term in terms:
        for part in term.parts:
            uses[part.place] = uses.get(part.place, 0) + (2 if term.word in TWICE else 1)
    for term in answers:
        uses[term.place] = uses.get(term.place, 0) + 1
    return frozenset(term.place for term in terms if term.word not in _LEAVES and uses.get(term.place, 0) > 1)


def steps_text(steps: Sequence[tuple[Sequence[str], str]], dialect: Dialect) -> str:
    """Return steps as `WITH`, each over the one before it; the last is `mlspec_<steps - 1>`.

    Args:
        steps: What each selects, and from what: "" is the step before it.
        dialect: In whose words.

    Raises:
        StepError: a step has more columns than the database takes.
    """
    parts = []
    for place, (selected, source) in enumerate(steps):
        if dialect.widest is not None and len(selected) > dialect.widest:
            raise StepError(
                f"the query needs {len(selected)} columns in one SELECT, and {dialect.name} takes "
                f"{dialect.widest}",
                fix="take fewer features, or export it as onnx",
            )
        columns = ",\n    ".join(selected)
        # OFFSET 0 keeps PostgreSQL from putting each expression into every place that names it.
        parts.append(
            f"mlspec_{place} AS NOT MATERIALIZED (\n  SELECT\n    {columns}\n"
            f"  FROM {source or f'mlspec_{place - 1}'}\n  OFFSET 0\n)"
        )
    return f"WITH {', '.join(parts)}"
