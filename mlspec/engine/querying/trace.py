"""Runs a graph with symbols in the place of one row: what comes out are the terms of its answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from mlspec.engine.querying.operators import OPERATORS
from mlspec.engine.querying.term import Term, Terms
from mlspec.errors import StepError

Symbols = NDArray[Any]
"""An array of terms (of objects), or of plain numbers and texts where no input has a part in them."""


def trace(
    model: onnx.ModelProto, terms: Terms, columns: Mapping[str, Term], single: Collection[str] = ()
) -> dict[str, Symbols]:
    """Return every tensor of a graph as terms, the rows' axis having one place.

    Nothing is approximated here: each node becomes what it does, so a query answers as the graph does.

    Args:
        model: A file of the house.
        terms: Where terms are made.
        columns: The term of each input.
        single: Tensors that are rounded to float32; others that the graph adds up in it are added in double.

    Raises:
        StepError: a node does what no query is written for.
    """
    values: dict[str, Symbols] = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
    }
    for name, term in columns.items():
        values[name] = symbols([term])
    for node in model.graph.node:
        operator = OPERATORS.get(node.op_type)
        if operator is None:
            raise StepError(
                f"the model has a node '{node.op_type}', and no SQL is written for it",
                fix="export it as onnx",
            )
        options = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        given = [values[name] for name in node.input if name]
        made = np.asarray(operator(terms, options, *given))
        if node.output[0] in single:
            made = OPERATORS["Cast"](terms, {"to": onnx.TensorProto.FLOAT}, made)
        values[node.output[0]] = made
    return values


def symbols(items: list[Term]) -> Symbols:
    """Return terms as an array of one axis."""
    array = np.empty(len(items), object)
    array[:] = items
    return array
