"""Whether a server can compute what the spec asks of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.condition import only_here
from mlspec.spec.spec import Spec

CONDITIONS = ("where", "expr")
"""Fields of rules that hold a condition."""


def check_compute(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give the conditions of rules that a server reads otherwise, where it shall judge them."""
    if not spec.data.source.computes:
        return
    for index, rule in enumerate(spec.validation.rules):
        for field in CONDITIONS:
            word = only_here(getattr(rule, field, None) or "true")
            if word is not None:
                yield composed.fault(
                    "MS0381",
                    f"'{word}' has not the same result in the database, which compute: database asks to "
                    "judge this rule",
                    ("validation", "rules", index, field),
                    fix="set data.source.compute: here, or put it into data.source.query as a column",
                )
