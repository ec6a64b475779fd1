"""`features: auto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlspec.engine.checking.proposal import first_rows, proposal
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.source import Source


def propose(source: Source, context: Context, data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a feature for each column that is worth one; ids and constants have none.

    Args:
        source: The table.
        context: Where relative paths start; told which columns are left out, and why.
        data: The `data` section; columns that it names already are left out.

    Raises:
        StepError: no column is worth one.
    """
    found = proposal(first_rows(source, context), data)
    for guess in found.guesses:
        if guess.kind is None:
            context.say(f"features: auto leaves out '{guess.column}': {guess.reason}")
    features = {guess.column: guess.mapping() for guess in found.guesses if guess.kind is not None}
    if not features:
        raise StepError(
            "'features: auto' finds no column to learn from", where="data.features", fix="name the features"
        )
    return features
