"""How a column becomes a model's input: statistics over the training split, then ONNX nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.contract import JsonType, Tensor
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import ibis

    from mlspec.engine.builder import Builder


@dataclass(frozen=True)
class FittedColumn:
    """A column, its options, and what was learned of it on the training split."""

    name: str
    feature: Feature
    state: Mapping[str, Any]
    """Plain JSON data that `Feature.fit` returned."""
    nulls: int = field(default=0, compare=False)
    """Training rows in which it holds nothing; the graph is made without it."""


@dataclass(frozen=True)
class Block:
    """What the nodes of one kind's columns give."""

    numbers: str | None = None
    """Name of a `[rows, k] float32` tensor, always finite."""
    number_names: tuple[str, ...] = ()
    """What each of the k columns holds, such as `age`, `age is null`, `hired_at hour`."""
    codes: str | None = None
    """Name of a `[rows, m] int64` tensor."""
    code_names: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    """Codes each of the m columns may hold."""


class Feature(Plugin):
    """One kind of column. The nodes are made for all its columns at once: few nodes, whatever the width."""

    slot: ClassVar[str] = "feature"
    tensor: ClassVar[Tensor]
    """What crosses into the file for such a column."""
    takes: ClassVar[tuple[JsonType, ...]] = ("string", "integer", "boolean")
    """What a raw column of this kind may hold."""
    parse_fields: ClassVar[tuple[str, ...]] = ()
    """Options that change how raw data is read (a time zone); they are parameters of `ingest` as well."""
    as_query: ClassVar[bool] = False
    """Whether its nodes are among those that `mlspec.engine.querying` writes as SQL."""

    def aggregates(self, column: ibis.Column) -> Mapping[str, ibis.Scalar]:
        """Return the aggregates over the training split that `fit` needs; they run where the data lies."""
        return {}

    def moments(self, column: ibis.Column) -> ibis.Column | None:
        """Return the numbers whose `low`, `high`, `mean` and `std` `fit` finds among its aggregates, or None.

        They are summed exactly, so that they do not depend on the order in which threads see the rows.
        """
        return None

    def counts(self) -> bool:
        """Return whether `fit` needs the training rows of each distinct value."""
        return False

    def fit(self, aggregates: Mapping[str, Any], counts: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
        """Return what the nodes need, as plain JSON data; the same inputs give the same bytes.

        Args:
            aggregates: The values of `aggregates()` and `moments()`, and `rows` and `nulls`.
            counts: `(value, rows)` by falling rows, then by value; empty unless `counts()`.
        """
        raise NotImplementedError

    @classmethod
    def block(cls, builder: Builder, columns: Sequence[FittedColumn]) -> Block:
        """Append the nodes of all columns of this kind; each column is an input tensor of its name."""
        raise NotImplementedError
