"""Model files are read with suspicion: one file, known operators, tensors as large as they say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper

from mlspec.errors import MissingError, UsageError

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Whose operators may stand in a file."""
_NARROW = {21: 4, 22: 4, 23: 4, 25: 2, 26: 2, 27: 6, 28: 6}
"""Bits of the types of `TensorProto` that do not fill a byte."""
_VARIABLE = frozenset({TensorProto.STRING, TensorProto.UNDEFINED})


def open_model(model: bytes | Path) -> onnx.ModelProto:
    """Return a model that names no other file and no operator from elsewhere; nothing of it runs.

    Args:
        model: The file, or its content.

    Raises:
        MissingError: there is no such file.
        UsageError: it is no ONNX model, or not a harmless one.
    """
    if isinstance(model, Path):
        if not model.is_file():
            raise MissingError(f"there is no model file '{model}'", fix="mlspec run")
        model = model.read_bytes()
    found = onnx.ModelProto()
    try:
        found.ParseFromString(model)
    except DecodeError as error:
        raise UsageError("the file is no ONNX model", fix="export it again") from error
    if not found.HasField("graph") or not found.graph.output:
        raise UsageError("the file is no ONNX model", fix="export it again")
    for domain in (*(item.domain for item in found.opset_import), *(node.domain for node in _nodes(found))):
        if domain not in DOMAINS:
            raise UsageError(
                f"the model uses operators of '{domain}'", fix="only standard ONNX operators may be used"
            )
    for tensor in _tensors(found):
        _check(tensor)
    return found


def _check(tensor: TensorProto) -> None:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise UsageError(
            f"the tensor '{tensor.name}' lies in another file", fix="export the model as one file"
        )
    size = math.prod(tensor.dims)
    if any(dim < 0 for dim in tensor.dims):
        raise UsageError(f"the tensor '{tensor.name}' has a negative size", fix="export the model again")
    if tensor.HasField("raw_data"):
        if tensor.data_type in _VARIABLE or tensor.data_type not in TensorProto.DataType.values():
            raise UsageError(f"the tensor '{tensor.name}' has no readable type", fix="export the model again")
        bits = _NARROW.get(tensor.data_type) or 8 * _width(tensor)
        if (size * bits + 7) // 8 != len(tensor.raw_data):
            raise UsageError(
                f"the tensor '{tensor.name}' is not as large as it says", fix="export the model again"
            )
    # Narrow types lie up to four in a number of `int32_data`.
    elif size > 4 * len(tensor.int32_data) + sum(len(getattr(tensor, field)) for field in _FIELDS):
        raise UsageError(
            f"the tensor '{tensor.name}' is not as large as it says", fix="export the model again"
        )


_FIELDS = ("float_data", "int64_data", "double_data", "uint64_data", "string_data")


def _width(tensor: TensorProto) -> int:
    return int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    waiting = [model.graph]
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += [inner for node in graph.node for inner in _inner(node)]


def _inner(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model):
        yield from graph.node
    for function in model.functions:
        waiting = list(function.node)
        while waiting:
            node = waiting.pop()
            yield node
            waiting += [item for inner in _inner(node) for item in inner.node]


def _tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    for graph in _graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for sparse in (
                *attribute.sparse_tensors,
                *([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []),
            ):
                yield from (sparse.values, sparse.indices)
