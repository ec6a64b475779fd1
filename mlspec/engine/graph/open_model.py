"""Model files are read with suspicion: one file, known operators, tensors as large as they say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper

from mlspec.errors import MissingError, UsageError

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Whose operators may stand in a file."""
LARGEST = 2**31 - 1
"""Bytes of a file, elements of a sparse tensor and a declared dimension; ONNX knows no larger file."""
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
        if model.stat().st_size > LARGEST:
            raise UsageError(f"'{model}' is too large for an ONNX model", fix="export it again")
        model = model.read_bytes()
    found = onnx.ModelProto()
    try:
        found.ParseFromString(model)
    except DecodeError as error:
        raise UsageError("the file is no ONNX model", fix="export it again") from error
    if not found.HasField("graph") or not found.graph.output:
        raise UsageError("the file is no ONNX model", fix="export it again")
    if found.training_info:
        raise UsageError("the model carries graphs of its training", fix="export it for inference")
    for domain in _domains(found):
        if domain not in DOMAINS:
            raise UsageError(
                f"the model uses operators of '{domain}'", fix="only standard ONNX operators may be used"
            )
    for tensor in _tensors(found):
        _check(tensor)
    for size in _sizes(found):
        if not 0 <= size <= LARGEST:
            raise UsageError(f"the model declares a tensor of size {size}", fix="export the model again")
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


def _domains(model: onnx.ModelProto) -> Iterator[str]:
    yield from (item.domain for item in model.opset_import)
    for function in model.functions:
        yield function.domain
        yield from (item.domain for item in function.opset_import)
    yield from (node.domain for node in _nodes(model))


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Yield every graph of a file: its own, and those inside of nodes and functions, at any depth."""
    waiting = [model.graph]
    for function in model.functions:
        waiting += [inner for node in function.node for inner in _inner(node.attribute)]
        waiting += _inner(function.attribute_proto)
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += [inner for node in graph.node for inner in _inner(node.attribute)]


def _inner(attributes: Iterable[onnx.AttributeProto]) -> Iterator[onnx.GraphProto]:
    for attribute in attributes:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def _attributes(model: onnx.ModelProto) -> Iterator[onnx.AttributeProto]:
    for node in _nodes(model):
        yield from node.attribute
    for function in model.functions:
        yield from function.attribute_proto


def _sparse(model: onnx.ModelProto) -> Iterator[onnx.SparseTensorProto]:
    for graph in _graphs(model):
        yield from graph.sparse_initializer
    for attribute in _attributes(model):
        yield from attribute.sparse_tensors
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor


def _tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    for graph in _graphs(model):
        yield from graph.initializer
    for attribute in _attributes(model):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
    for sparse in _sparse(model):
        yield from (sparse.values, sparse.indices)


def _sizes(model: onnx.ModelProto) -> Iterator[int]:
    """Yield what a file declares without holding it: dimensions of values, and sparse tensors made dense."""
    for graph in _graphs(model):
        for value in (*graph.input, *graph.output, *graph.value_info):
            yield from (dim.dim_value for dim in value.type.tensor_type.shape.dim)
    for sparse in _sparse(model):
        yield from sparse.dims
        yield math.prod(sparse.dims)
