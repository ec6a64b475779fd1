"""Whether a server can compute what the spec asks of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.condition import only_here
from mlspec.sdk.model import TorchModel
from mlspec.spec.space import path_of
from mlspec.spec.spec import Spec

DECIDES = (("model",), ("model", "kind"), ("model", "solver"))
"""Keys that say whether training takes rows or sums."""
CONDITIONS = ("where", "expr")
"""Fields of rules that hold a condition."""


def check_compute(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give what a server reads otherwise, or cannot make, where it shall compute."""
    if not spec.data.source.computes:
        return
    yield from _conditions(spec, composed)
    if isinstance(spec.model, TorchModel) and spec.model.from_sums():
        yield from _sums(spec, composed)


def _conditions(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give the conditions of rules that a server reads otherwise."""
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


def _sums(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give features of which no sums are made there, and sweeps whose trials would need the rows."""
    if spec.data.features != "auto":
        for column, feature in spec.data.features.items():
            if not type(feature).as_query:
                what = (
                    f"no SQL is written of the feature '{feature.kind}' of the column '{column}', and the "
                    "database shall make the sums that training needs"
                )
                fix = "set data.source.compute: here, or as_query in the plug-in if its nodes are known"
                yield composed.fault("MS0381", what, ("data", "features", column), key=True, fix=fix)
    for name in spec.sweep.parameters if spec.sweep is not None else ():
        if path_of(name) in DECIDES:
            what = (
                f"'{name}' decides whether training takes rows or sums, and the database, which is asked "
                "once for all trials, gives sums"
            )
            fix = "search it no more, or set data.source.compute: here"
            yield composed.fault("MS0381", what, ("sweep", "parameters", name), key=True, fix=fix)
