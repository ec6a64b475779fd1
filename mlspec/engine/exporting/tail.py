"""The last nodes of an exported file: from a model's raw scores to named answers, in ONNX and in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from mlspec.engine.builder import Builder
from mlspec.engine.judging.answers import probabilities_of
from mlspec.sdk.contract import FittedTarget, OutputTensor


def append_tail(
    builder: Builder, scores: str, target: FittedTarget, threshold: float | None
) -> tuple[OutputTensor, ...]:
    """Append the nodes from scores to answers, declare the outputs, and return what they are.

    Args:
        builder: The graph so far.
        scores: Name of a `[rows, target.width] float32` tensor.
        target: What is predicted.
        threshold: Probability from which the answer is the positive class (binary only).
    """
    if target.kind == "number":
        outputs: tuple[OutputTensor, ...] = (OutputTensor(name="value", tensor="float64", shape=("rows",)),)
        answers = {"value": _value(builder, scores, target)}
    else:
        outputs = (
            OutputTensor(name="label", tensor="string", shape=("rows",)),
            OutputTensor(name="probabilities", tensor="float32", shape=("rows", len(target.classes))),
        )
        if target.kind == "binary":
            probabilities, code = _binary(builder, scores, 0.5 if threshold is None else threshold)
        else:
            probabilities = builder.node("Softmax", scores, axis=1)
            code = builder.node("ArgMax", scores, axis=1, keepdims=0)
        labels = builder.constant(list(target.classes), dtype=object)
        answers = {"label": builder.node("Gather", labels, code, axis=0), "probabilities": probabilities}
    for output in outputs:
        builder.output(answers[output.name], output.name, output.tensor, output.shape)
    return outputs


def _value(builder: Builder, scores: str, target: FittedTarget) -> str:
    wide = builder.nodes("Cast", scores, outputs=1, to=TensorProto.DOUBLE)[0]
    flat = builder.node("Squeeze", wide, builder.constant([1], np.int64))
    scaled = builder.node("Mul", flat, builder.constant(target.std, np.float64))
    return builder.node("Add", scaled, builder.constant(target.mean, np.float64))


def _binary(builder: Builder, scores: str, threshold: float) -> tuple[str, str]:
    both = builder.node("Concat", builder.node("Neg", scores), scores, axis=1)
    probabilities = builder.node("Sigmoid", both)
    last = builder.node("Gather", probabilities, builder.constant(1, np.int64), axis=1)
    # in double, so that a bound such as 0.3 means the number that the user wrote
    wide = builder.nodes("Cast", last, outputs=1, to=TensorProto.DOUBLE)[0]
    reached = builder.node("GreaterOrEqual", wide, builder.constant(threshold, np.float64))
    return probabilities, builder.nodes("Cast", reached, outputs=1, to=TensorProto.INT64)[0]


def tail(scores: NDArray[np.float32], target: FittedTarget) -> NDArray[np.float64]:
    """Return what the tail makes of raw scores, in double: `[rows, classes]`, or `[rows]` for a number.

    Example:
        >>> target = FittedTarget(column="y", kind="binary", classes=("no", "yes"))
        >>> tail(np.zeros((1, 1), np.float32), target).tolist()
        [[0.5, 0.5]]
    """
    if target.kind == "number":
        values: NDArray[np.float64] = scores[:, 0].astype(np.float64) * target.std + target.mean
        return values
    return probabilities_of(scores, target)
