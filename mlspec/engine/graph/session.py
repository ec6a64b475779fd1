"""A file of the house, ready to answer: the door, look-ups once a distinct text, the rest of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
from onnx import TensorProto, helper

from mlspec.engine.builder import IR, ML, OPSET
from mlspec.engine.door import Words, read
from mlspec.engine.graph.open_model import open_model
from mlspec.errors import UsageError
from mlspec.sdk.contract import InputColumn

_VALUE_TYPES = {
    "values_int64s": TensorProto.INT64,
    "values_floats": TensorProto.FLOAT,
    "values_strings": TensorProto.STRING,
}


@dataclass(frozen=True)
class _Lookup:
    """One LabelEncoder, cut out of the file."""

    column: str
    gives: str
    session: onnxruntime.InferenceSession


class Session:
    """Answers batches of raw rows with a model file.

    The file is cut at the codes: each look-up runs over the distinct texts of a batch and not over its rows.
    The nodes are those of the file, so the answers are the file's, bit for bit. One thread works in a call;
    several Python threads may call at once.

    Args:
        model: The file, or its content; refused unless it is one whole file of standard operators.
        inputs: What the file takes, as its contract says.
        outputs: The answers that are wanted; all where absent.

    Raises:
        UsageError: the file is not harmless, or does not fit its contract.
    """

    def __init__(
        self, model: bytes | Path, inputs: Sequence[InputColumn], outputs: Sequence[str] | None = None
    ) -> None:
        whole = open_model(model)
        self.inputs = tuple(inputs)
        _check_inputs(whole, self.inputs)
        names = tuple(output.name for output in whole.graph.output)
        self.outputs = names if outputs is None else tuple(outputs)
        unknown = [name for name in self.outputs if name not in names]
        if unknown:
            raise UsageError(f"the model gives no '{unknown[0]}'", fix=f"one of {', '.join(names)}")
        self._lookups, self._body = _cut(
            whole, {item.name for item in self.inputs if item.tensor == "string"}
        )
        self._takes = tuple(item.name for item in self._body.get_inputs())

    def run(self, batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        """Return the answers to a batch by output name.

        Raises:
            BadRows: the door refuses a value; nothing is answered then.
        """
        columns = read(batch, self.inputs)
        feeds = {}
        for lookup in self._lookups:
            words = columns[lookup.column]
            assert isinstance(words, Words)
            codes = lookup.session.run([lookup.gives], {lookup.column: words.values})[0]
            feeds[lookup.gives] = codes[words.indices]
        for name in self._takes:
            if name not in feeds:
                column = columns[name]
                feeds[name] = column.expand() if isinstance(column, Words) else np.ascontiguousarray(column)
        return dict(zip(self.outputs, self._body.run(list(self.outputs), feeds), strict=True))


def _check_inputs(model: onnx.ModelProto, inputs: Sequence[InputColumn]) -> None:
    types = {"float64": TensorProto.DOUBLE, "string": TensorProto.STRING}
    takes = {item.name: item.type.tensor_type.elem_type for item in model.graph.input}
    for item in inputs:
        if takes.pop(item.name, None) != types[item.tensor]:
            raise UsageError(f"the model takes no {item.tensor} column '{item.name}', as its contract says")
    if takes:
        raise UsageError(f"the model takes a column '{next(iter(takes))}', of which its contract is silent")


def _cut(model: onnx.ModelProto, texts: set[str]) -> tuple[tuple[_Lookup, ...], onnxruntime.InferenceSession]:
    """Return the look-ups of text columns, and the rest of the file, which takes their codes."""
    graph = model.graph
    given = {output.name for output in graph.output}
    lookups, kept, cut = [], [], []
    for node in graph.node:
        known = next((attribute.name for attribute in node.attribute if attribute.name in _VALUE_TYPES), None)
        if (
            node.op_type == "LabelEncoder"
            and node.input[0] in texts
            and known
            and node.output[0] not in given
        ):
            value = helper.make_tensor_value_info(node.output[0], _VALUE_TYPES[known], ("rows",))
            lookups.append(_Lookup(node.input[0], node.output[0], _session(_alone(node, value))))
            cut.append(value)
        else:
            kept.append(node)
    needed = {name for node in kept for name in node.input} | _inner_names(kept)
    body = onnx.ModelProto()
    body.CopyFrom(model)
    del body.graph.node[:], body.graph.input[:], body.graph.value_info[:]
    body.graph.node.extend(kept)
    body.graph.input.extend(item for item in graph.input if item.name in needed)
    body.graph.input.extend(cut)
    gone = {item.name for item in cut}
    body.graph.value_info.extend(item for item in graph.value_info if item.name not in gone)
    return tuple(lookups), _session(body)


def _inner_names(nodes: Sequence[onnx.NodeProto]) -> set[str]:
    """Return the names that graphs inside of nodes read; they may reach out to an input."""
    names: set[str] = set()
    for node in nodes:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                names |= {name for item in inner.node for name in item.input} | _inner_names(inner.node)
    return names


def _alone(node: onnx.NodeProto, output: onnx.ValueInfoProto) -> onnx.ModelProto:
    column = helper.make_tensor_value_info(node.input[0], TensorProto.STRING, ("rows",))
    graph = helper.make_graph([node], "look-up", [column], [output])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR)


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
