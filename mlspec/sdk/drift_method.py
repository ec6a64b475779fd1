"""How a change of a column may be told: the words of `monitoring.drift.methods`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Suits: TypeAlias = Literal["numbers", "categories", "two categories", "both"]


@dataclass(frozen=True)
class DriftMethod:
    """One way to compare a column with its reference."""

    suits: Suits
    """The columns that it can compare."""
    threshold: str | None = None
    """Of a raw distance, which has no error rate: a threshold as an example. None of a test."""
    values: bool = False
    """Whether it needs values, which a sketch has not."""


METHODS: Mapping[str, DriftMethod] = MappingProxyType(
    {
        "kolmogorov_smirnov": DriftMethod("numbers"),
        "mann_whitney": DriftMethod("numbers", values=True),
        "chi_square": DriftMethod("categories"),
        "fisher_exact": DriftMethod("two categories"),
        "wasserstein": DriftMethod("numbers", threshold="2.5"),
        "jensen_shannon": DriftMethod("both", threshold="0.1"),
        "population_stability_index": DriftMethod("both", threshold="0.2"),
    }
)
"""Each word. A test keeps to the error rate of `false_alarms`; a distance is told from its threshold on."""


def suiting(column: Suits) -> tuple[str, ...]:
    """Return the methods that can compare a column.

    Example:
        >>> suiting("categories")
        ('chi_square', 'jensen_shannon', 'population_stability_index')
    """
    fits = {"both", column} | ({"categories"} if column == "two categories" else set())
    return tuple(name for name, method in METHODS.items() if method.suits in fits)
