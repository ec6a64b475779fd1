"""Feature graph, network and tail as one file: raw columns in, named answers out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import onnx

from mlspec.engine.builder import CODES, NUMBERS, PREFIX, SCORES, Builder
from mlspec.engine.exporting.tail import append_tail
from mlspec.errors import StepError
from mlspec.sdk.contract import Contract, FittedTarget, InputColumn

CONTRACT = "mlspec.contract"
"""The key of the contract in a file's metadata."""
PROVENANCE = "mlspec.provenance"
"""The key of where the file comes from."""


@dataclass(frozen=True)
class Parts:
    """What a file is made of, besides the network."""

    name: str
    """The spec's name."""
    features: onnx.ModelProto
    """Raw columns to `mlspec/numbers` and `mlspec/codes`."""
    inputs: tuple[InputColumn, ...]
    target: FittedTarget
    threshold: float | None = None
    """Probability from which a binary answer is the positive class."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where the model comes from; no part of `model_version`, which tells what it answers."""


@dataclass(frozen=True)
class Joined:
    """One file, and the contract that its metadata holds."""

    model: onnx.ModelProto
    contract: Contract


def join(parts: Parts, append: Callable[[Builder], str]) -> Joined:
    """Return the feature graph, the network and the tail as one checked model.

    The same parts give the same bytes; `model_version` is a digest of the graph and its contract.

    Args:
        parts: The feature graph and what is known of columns and target.
        append: Appends the network to a graph that holds `mlspec/numbers` and `mlspec/codes`, and returns the
            name of its scores.

    Raises:
        StepError: a column has the name of an answer or of an inner tensor.
    """
    builder = Builder("mlspec")
    for column in parts.inputs:
        builder.input(column.name, column.tensor)
    kept = {column.name: column.name for column in parts.inputs} | {NUMBERS: NUMBERS, CODES: CODES}
    builder.splice(parts.features, kept, "features")
    scores = append(builder)
    if scores != SCORES:
        builder.node("Identity", scores, to=SCORES)
    threshold = parts.threshold if parts.target.kind == "binary" else None
    outputs = append_tail(builder, SCORES, parts.target, threshold)
    _check_names(parts.inputs, {output.name for output in outputs})
    contract = Contract(
        name=parts.name, target=parts.target, threshold=threshold, inputs=parts.inputs, outputs=outputs
    )
    digest = hashlib.sha256(builder.model().SerializeToString(deterministic=True))
    digest.update(_text(contract.model_dump(mode="json")).encode())
    contract = contract.model_copy(update={"model_version": digest.hexdigest()[:16]})
    metadata = {CONTRACT: _text(contract.model_dump(mode="json"))}
    if parts.provenance:
        metadata[PROVENANCE] = _text(parts.provenance)
    return Joined(builder.model(metadata), contract)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _check_names(inputs: tuple[InputColumn, ...], outputs: set[str]) -> None:
    for column in inputs:
        if column.name in outputs or column.name.startswith(PREFIX):
            raise StepError(
                f"the input column '{column.name}' has a name that the exported file needs for itself",
                where=f"data.features.{column.name}",
                fix="rename the column in the data",
            )
