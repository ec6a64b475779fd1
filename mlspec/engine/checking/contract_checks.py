"""A contract file held against the data: what each column must be, counted by one query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import ibis

from mlspec.engine.checking.contract_file import ColumnContract, DataContract
from mlspec.engine.checking.nulls import nulls
from mlspec.engine.double import double
from mlspec.engine.reading.outside import outside
from mlspec.sdk.contract import JsonType

WIDER: Mapping[str, frozenset[str]] = {
    "number": frozenset({"number", "integer"}),
    "string": frozenset({"string", "integer", "boolean"}),
}
"""Types that a contract's type takes besides itself: text that happens to be all digits is text still."""
SHAPES = {"integer": "^(0|-?[1-9][0-9]*)$", "boolean": "^(true|false)$"}


@dataclass(frozen=True)
class ContractCheck:
    """One thing that a contract demands."""

    id: str
    """Such as `contract(age.high)`."""
    column: str
    what: str
    """How a row breaks it."""
    broken: ibis.BooleanValue | None
    """True for rows that break it; None where the column as a whole does."""
    share: float = 0.0
    """Part of the rows (fraction 0-1) that may break it."""
    counted: ibis.IntegerScalar | None = None
    """How many rows break it, where there is a shorter way than to sum up `broken`."""

    @property
    def failing(self) -> ibis.IntegerScalar | None:
        """Return how many rows break it, null or 0 for none; None where the column as a whole does."""
        return self.counted if self.counted is not None or self.broken is None else self.broken.sum()


def contract_checks(
    contract: DataContract, table: ibis.Table, types: Mapping[str, JsonType]
) -> Iterator[ContractCheck]:
    """Give everything that a contract demands of a table.

    Args:
        contract: What the data must look like.
        table: Typed rows.
        types: What each raw column holds.
    """
    for name in types:
        if name not in contract.columns:
            yield ContractCheck(f"contract({name})", name, "the contract does not know the column", None)
    for name, column in contract.columns.items():
        if name not in types:
            yield ContractCheck(f"contract({name})", name, "the data lacks the column", None)
        else:
            yield from _column_checks(name, column, table, types[name])


def _column_checks(
    name: str, wanted: ColumnContract, table: ibis.Table, held: JsonType
) -> Iterator[ContractCheck]:
    column = table[name]
    if held not in WIDER.get(wanted.type, frozenset({wanted.type})):
        place, text = f"contract({name}.type)", f"{held} where the contract says {wanted.type}"
        if column.type().is_string() and wanted.type in SHAPES:
            yield ContractCheck(place, name, f"not {wanted.type}", ~column.re_search(SHAPES[wanted.type]))
        else:
            yield ContractCheck(place, name, text, None)
            return
    told = "null" if wanted.max_null == 0 else f"null, and {wanted.max_null:.4g} of the rows may be"
    yield ContractCheck(
        f"contract({name}.max_null)", name, told, column.isnull(), wanted.max_null, nulls(table, name)
    )
    numeric = column.type().is_numeric() and not column.type().is_boolean()
    for key, limit in (("low", wanted.low), ("high", wanted.high)):
        if limit is None:
            continue
        if not numeric:
            yield ContractCheck(
                f"contract({name}.{key})", name, f"no numbers, and {key} is for numbers", None
            )
        elif key == "low":
            yield ContractCheck(f"contract({name}.low)", name, f"below {limit:.17g}", column < double(limit))
        else:
            yield ContractCheck(f"contract({name}.high)", name, f"above {limit:.17g}", column > double(limit))
    if wanted.domain is not None:
        if numeric and column.type().is_floating():
            yield ContractCheck(f"contract({name}.domain)", name, "numbers, and domain is for text", None)
        else:
            yield ContractCheck(
                f"contract({name}.domain)",
                name,
                "outside of the domain",
                outside(column.cast("string"), wanted.domain),
            )
