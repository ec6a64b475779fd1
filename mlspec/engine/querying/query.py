"""A joined file as one SQL query."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from mlspec.engine.builder import CODES, NUMBERS, SCORES
from mlspec.engine.querying.dialect import DIALECTS
from mlspec.engine.querying.door import columns_of
from mlspec.engine.querying.term import Term, Terms
from mlspec.engine.querying.trace import trace
from mlspec.engine.querying.write import REFUSED, Asked, write
from mlspec.errors import StepError
from mlspec.sdk.contract import Contract

LARGEST = 64 << 20
"""Bytes of a query."""


@dataclass(frozen=True)
class Query:
    """What a file reckons for one row, ready to be written in any database's words."""

    asked: Asked
    answers: dict[str, Term]
    encoded: dict[str, Term]
    """What the model is given: `number 0 ...` and `code 0 ...`."""

    def text(self, dialect: str) -> str:
        """Return the query.

        Raises:
            StepError: it is more than the database takes.
        """
        written = write(self.asked, self.answers, DIALECTS[dialect])
        if len(written) > LARGEST:
            raise StepError(
                f"the query has {len(written) >> 20} MiB, and no database takes it",
                fix="lower max_size of the categories or trees of the model, or export it as onnx",
            )
        return written

    def encoded_text(self, dialect: str) -> str:
        """Return the query of what the model is given, for a look at where a difference comes from."""
        return write(Asked(self.asked.table, self.asked.inputs, ()), self.encoded, DIALECTS[dialect])


def query(model: onnx.ModelProto, contract: Contract, table: str, keep: tuple[str, ...] | None) -> Query:
    """Return the query that answers as a joined file does.

    Args:
        model: Feature graph, model and answers.
        contract: Its contract.
        table: Whose rows are scored: `name` or `schema.name`.
        keep: Columns of the table that stand before the answers; None: all.

    Raises:
        StepError: a node does what no query is written for, or two columns would have one name.
    """
    terms = Terms()
    found = trace(model, terms, columns_of(terms, contract.inputs), single=(SCORES,))
    if contract.target.kind == "number":
        answers = {"value": _term(terms, found["value"][0])}
    else:
        answers = {"label": _term(terms, found["label"][0])}
        shares = found["probabilities"][0]
        for name, share in zip(contract.target.classes, shares, strict=True):
            answers[f"probability_{name}"] = _term(terms, share)
    _check(answers, keep)
    encoded = {f"number {place}": _term(terms, item) for place, item in enumerate(found[NUMBERS][0])}
    encoded |= {f"code {place}": _term(terms, item) for place, item in enumerate(found[CODES][0])}
    return Query(Asked(table, contract.inputs, keep), answers, encoded)


def _term(terms: Terms, item: object) -> Term:
    return item if isinstance(item, Term) else terms.constant(item)


def _check(answers: dict[str, Term], keep: tuple[str, ...] | None) -> None:
    taken: dict[str, str] = {}
    for name in (*(keep or ()), *answers, REFUSED):
        # DuckDB takes names that differ in their capitals for one
        if name.lower() in taken:
            raise StepError(
                f"the query would have two columns '{name}' and '{taken[name.lower()]}'",
                where="exports",
                fix="keep other columns, or rename the classes in the data",
            )
        taken[name.lower()] = name
