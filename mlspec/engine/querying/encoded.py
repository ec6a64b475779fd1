"""Typed rows of a server as a model is given them: the feature graph alone, as steps of a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.querying.dialect import POSTGRESQL
from mlspec.engine.querying.door import columns_of, doors
from mlspec.engine.querying.stages import Stages, steps_text
from mlspec.engine.querying.term import Term, Terms
from mlspec.engine.querying.trace import trace
from mlspec.engine.sql import quote
from mlspec.sdk.contract import InputColumn

ENCODED = "mlspec_encoded"
"""What the encoded rows are called."""


def encoded(
    features: onnx.ModelProto, inputs: Sequence[InputColumn], source: str, carried: Mapping[str, str]
) -> str:
    """Return the beginning of a query, in PostgreSQL's words: `WITH`, the last of which is `mlspec_encoded`.

    It has a column `number_<n>` (float8) and `code_<n>` (integer) for each that the graph gives, bit for bit
    what it gives, and those that are carried along.

    Args:
        features: The feature graph.
        inputs: Its columns; the rows went through typing, so there is nothing to refuse.
        source: What stands behind FROM: rows with the columns of `inputs`.
        carried: SQL of what else is wanted of a row, by its name, which begins with `mlspec_`.

    Raises:
        StepError: a node does what no query is written for, or there are more columns than a server takes.
    """
    terms = Terms()
    found = trace(features, terms, columns_of(terms, inputs), single=())
    answers: dict[str, Term] = {}
    for name, word, kind in ((NUMBERS, "number", "float8"), (CODES, "code", "integer")):
        for place, item in enumerate(found[name][0] if found[name].size else ()):
            term = item if isinstance(item, Term) else terms.constant(item)
            answers[f"({{}})::{kind} AS {word}_{place}"] = term
    raw = doors([quote(item.name) for item in inputs], inputs, POSTGRESQL)
    staged = Stages(list(answers.values()), POSTGRESQL)
    own = [*carried]
    steps: list[tuple[list[str], str]] = [
        (
            [f"{told} AS {name}" for name, told in carried.items()]
            + [f"{told} AS {name}" for name, told in raw.items()],
            source,
        )
    ]
    steps += [([*own, *selected], "") for selected in staged.steps]
    steps.append(([*own, *(told.format(staged.text(term)) for told, term in answers.items())], ""))
    last = f"{ENCODED} AS NOT MATERIALIZED (SELECT * FROM mlspec_{len(steps) - 1})"
    return f"{steps_text(steps, POSTGRESQL)}, {last}"
