"""One shared builder for every ONNX file: opset 20, ai.onnx.ml 4, IR 10, one file, no traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, ML, IR = 20, 4, 10
PREFIX = "mlspec/"
"""Every inner tensor's name starts so; no column's may."""
NUMBERS, CODES, SCORES = PREFIX + "numbers", PREFIX + "codes", PREFIX + "scores"


class Builder:
    """Collects nodes and constants and gives one checked model.

    Example:
        >>> graph = Builder("double")
        >>> x = graph.input("x", "float64")
        >>> graph.output(graph.node("Add", x, x), "y", "float64", ("rows",))
        >>> [node.op_type for node in graph.model().graph.node]
        ['Add', 'Identity']
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._values: list[onnx.ValueInfoProto] = []
        self._count = 0

    def _fresh(self, word: str) -> str:
        self._count += 1
        return f"{PREFIX}{word}_{self._count}"

    def input(self, name: str, dtype: str, shape: tuple[str | int, ...] = ("rows",)) -> str:
        """Declare an input tensor, rank 1 unless told, and return its name."""
        self._inputs.append(helper.make_tensor_value_info(name, _onnx_type(dtype), shape))
        return name

    def constant(self, value: NDArray[Any] | list[Any] | float | int, dtype: Any = None) -> str:
        """Return the name of a constant; equal constants are stored once."""
        array = np.asarray(value, dtype=dtype)
        if array.dtype.kind in "UO":
            return self._add(numpy_helper.from_array(array.astype(object), self._fresh("text")))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self._add(
                numpy_helper.from_array(
                    np.ascontiguousarray(array).reshape(array.shape), self._fresh("constant")
                )
            )
        return self._constants[key]

    def _add(self, tensor: onnx.TensorProto) -> str:
        self._initializers.append(tensor)
        return str(tensor.name)

    def node(self, op: str, *inputs: str, domain: str = "", to: str | None = None, **attributes: Any) -> str:
        """Append a node with one output and return the output's name (`to`, or a fresh inner name)."""
        return self.nodes(op, *inputs, outputs=(to or self._fresh(op.lower()),), domain=domain, **attributes)[
            0
        ]

    def nodes(
        self, op: str, *inputs: str, outputs: tuple[str, ...] | int, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """Append a node with several outputs and return their names."""
        names = (
            outputs if isinstance(outputs, tuple) else tuple(self._fresh(op.lower()) for _ in range(outputs))
        )
        self._nodes.append(helper.make_node(op, list(inputs), list(names), domain=domain, **attributes))
        return names

    def value_info(self, name: str, dtype: str, shape: tuple[str | int, ...]) -> None:
        """Declare an inner tensor's type, which the checker needs behind some operators."""
        self._values.append(helper.make_tensor_value_info(name, _onnx_type(dtype), shape))

    def splice(self, model: onnx.ModelProto, rename: Mapping[str, str], prefix: str) -> dict[str, str]:
        """Append another model's nodes and constants.

        Args:
            model: Its inputs must all be in `rename`.
            rename: The other model's input names to names of this graph.
            prefix: Put before every other name, after `mlspec/`.

        Returns:
            The other model's output names to names of this graph.
        """

        def name_of(name: str) -> str:
            return rename.get(name) or (f"{PREFIX}{prefix}/{name}" if name else "")

        for tensor in model.graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.name = name_of(tensor.name)
            self._initializers.append(copy)
        for node in model.graph.node:
            other = onnx.NodeProto()
            other.CopyFrom(node)
            other.name = ""
            other.doc_string = ""
            del other.metadata_props[:]
            other.input[:] = [name_of(item) for item in node.input]
            other.output[:] = [name_of(item) for item in node.output]
            self._nodes.append(other)
        for value in model.graph.value_info:
            info = onnx.ValueInfoProto()
            info.CopyFrom(value)
            info.name = name_of(value.name)
            del info.metadata_props[:]
            self._values.append(info)
        return {item.name: name_of(item.name) for item in model.graph.output}

    def output(self, name: str, as_name: str, dtype: str, shape: tuple[str | int, ...]) -> None:
        """Declare an inner tensor as an output under a public name."""
        if name != as_name:
            self.node("Identity", name, to=as_name)
        self._outputs.append(helper.make_tensor_value_info(as_name, _onnx_type(dtype), shape))

    def model(self, metadata: Mapping[str, str] | None = None) -> onnx.ModelProto:
        """Return the whole as a model, checked in full.

        Raises:
            onnx.checker.ValidationError: the graph is not valid ONNX (a fault of a plug-in).
        """
        graph = helper.make_graph(
            self._nodes, self.name, self._inputs, self._outputs, self._initializers, value_info=self._values
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="mlspec")
        for key, text in sorted((metadata or {}).items()):
            model.metadata_props.add(key=key, value=text)
        onnx.checker.check_model(model, full_check=True)
        return model


def _onnx_type(dtype: str) -> int:
    types: dict[str, int] = {
        "float64": TensorProto.DOUBLE, "float32": TensorProto.FLOAT, "int64": TensorProto.INT64,
        "int32": TensorProto.INT32, "string": TensorProto.STRING, "bool": TensorProto.BOOL,
    }  # fmt: skip
    return types[dtype]
