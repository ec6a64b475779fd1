"""Terms as one query: what is needed more than once is reckoned in a step of its own, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlspec.engine.querying.dialect import Dialect
from mlspec.engine.querying.door import doors, refusal
from mlspec.engine.querying.stages import Stages, steps_text
from mlspec.engine.querying.term import Term
from mlspec.sdk.contract import InputColumn

ROW, REFUSED = "mlspec_row", "refused"
_ROWS = '"mlspec_rows"'


@dataclass(frozen=True)
class Asked:
    """What a query is about."""

    table: str
    """`name` or `schema.name`."""
    inputs: tuple[InputColumn, ...]
    keep: tuple[str, ...] | None
    """Columns that stand before the answers; None: all."""


def write(asked: Asked, answers: Mapping[str, Term], dialect: Dialect) -> str:
    """Return the query: the table's columns, the answers by name, and `refused`.

    Args:
        asked: The table and its columns.
        answers: The terms of the answers by the names that they get.
        dialect: In whose words.

    Raises:
        StepError: it is more than the database takes.
    """
    table = ".".join(map(dialect.name_of, asked.table.split(".")))
    inputs = asked.inputs
    raw = [f"r{place}" for place in range(len(inputs))]
    own = (f"{_ROWS}.{dialect.name_of(item.name)} AS {name}" for item, name in zip(inputs, raw, strict=True))
    known = (
        f"CASE WHEN {REFUSED} IS NULL THEN {told} END AS {name}"
        for name, told in doors(raw, inputs, dialect).items()
    )
    steps = [
        ([f"{_ROWS} AS {ROW}", *own], f"{table} AS {_ROWS}"),
        ([ROW, *raw, f"{refusal(raw, inputs, dialect)} AS {REFUSED}"], ""),
        ([ROW, REFUSED, *known], ""),
    ]
    staged = Stages(list(answers.values()), dialect)
    steps += [([ROW, REFUSED, *selected], "") for selected in staged.steps]
    kept = (
        [dialect.whole_row(ROW)] if asked.keep is None else [dialect.of_row(ROW, name) for name in asked.keep]
    )
    last = [
        *kept,
        *(
            f"CASE WHEN {REFUSED} IS NULL THEN {staged.text(term)} END AS {dialect.name_of(name)}"
            for name, term in answers.items()
        ),
        REFUSED,
    ]
    told = ",\n  ".join(last)
    return f"{steps_text(steps, dialect)}\nSELECT\n  {told}\nFROM mlspec_{len(steps) - 1}"
