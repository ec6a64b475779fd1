"""What is predicted, as learned from the training split."""

from __future__ import annotations

import re
from collections.abc import Sequence

import ibis

from mlspec.engine.graph.moments import moments
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, TargetKind

POSITIVE = {("false", "true"): "true", ("0", "1"): "1", ("no", "yes"): "yes"}
"""Pairs of classes, case aside, whose second one is positive without a word."""
MOST = 10_000
"""Classes a target may have."""


def fit_target(train: ibis.Table, column: str, kind: TargetKind, positive: str | None) -> FittedTarget:
    """Return classes and their rows, or mean and deviation, of the training split.

    Args:
        train: Typed rows; the target has no nulls.
        column: The target.
        kind: What it is.
        positive: For a binary target: the class that counts as positive, where it is not plain.

    Raises:
        StepError: the classes do not suit the kind, or nobody says which one is positive.
    """
    where = "data.target"
    if kind == "number":
        known = moments(train, {column: train[column]})[column]
        if not known.std:
            raise StepError(
                f"the target '{column}' is {known.mean:g} in every training row: there is nothing to learn",
                where=where,
            )
        return FittedTarget(column=column, kind=kind, mean=known.mean or 0.0, std=known.std)
    found = train.group_by(value=train[column]).aggregate(rows=lambda rows: rows.count()).to_pyarrow()
    counts = dict(zip(found["value"].to_pylist(), found["rows"].to_pylist(), strict=True))
    if len(counts) > MOST:
        raise StepError(
            f"the target '{column}' has {len(counts)} classes in the training rows",
            where=where,
            fix="is its kind number?",
        )
    if len(counts) < 2:
        raise StepError(
            f"the target '{column}' is always '{next(iter(counts))}' in the training rows", where=where
        )
    classes = _ordered(tuple(counts))
    if kind == "binary":
        classes = _positive_last(column, classes, positive)
    elif positive is not None:
        raise StepError(
            "only a binary target has a 'positive' class", where=f"{where}.positive", fix="take it out"
        )
    return FittedTarget(
        column=column, kind=kind, classes=classes, counts=tuple(counts[name] for name in classes)
    )


def _ordered(classes: Sequence[str]) -> tuple[str, ...]:
    if all(re.fullmatch(r"-?[0-9]{1,15}", name) for name in classes):
        return tuple(sorted(classes, key=lambda name: (int(name), name)))
    return tuple(sorted(classes))


def _positive_last(column: str, classes: tuple[str, ...], positive: str | None) -> tuple[str, ...]:
    where = "data.target"
    told = ", ".join(f"'{name}'" for name in classes[:10])
    if len(classes) != 2:
        raise StepError(
            f"the binary target '{column}' has {len(classes)} values: {told}",
            where=where,
            fix="set kind: category",
        )
    if positive is None:
        low = {name.lower(): name for name in classes}
        wanted = (
            next((value for key, value in POSITIVE.items() if set(key) == set(low)), None)
            if len(low) == 2
            else None
        )
        if wanted is None:
            raise StepError(
                f"the values of '{column}' are {told}: which one is positive?",
                where=where,
                fix=f'set positive: "{classes[1]}"',
            )
        positive = low[wanted]
    if positive not in classes:
        raise StepError(
            f"'{positive}' is no value of '{column}' in the training rows: {told}", where=f"{where}.positive"
        )
    return tuple(sorted(classes, key=lambda name: name == positive))
