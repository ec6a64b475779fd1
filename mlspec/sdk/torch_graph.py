"""Any torch module as ONNX nodes, by torch's own exporter."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mlspec.errors import StepError
from mlspec.sdk.contract import ModelInputs

if TYPE_CHECKING:
    import onnx
    import torch

    from mlspec.engine.builder import Builder


def append_module(module: torch.nn.Module, weights: Path, builder: Builder, inputs: ModelInputs) -> str:
    """Append a module to a graph and return the name of its scores tensor.

    Args:
        module: Takes `[rows, numbers] float32` and `[rows, columns] int64`.
        weights: A safetensors file with the module's state.
        builder: Holds `mlspec/numbers` and `mlspec/codes`.
        inputs: Shape of encoded rows.

    Raises:
        StepError: torch's exporter cannot write the module, or writes it in a form that cannot be joined.
    """
    from safetensors.torch import load_file

    module.load_state_dict(load_file(weights))
    written = _export(module.eval(), inputs)
    _check(written)
    names = [item.name for item in written.graph.input]
    rename = dict(zip(names, ("mlspec/numbers", "mlspec/codes"), strict=True))
    return builder.splice(written, rename, "model")[written.graph.output[0].name]


def _export(module: torch.nn.Module, inputs: ModelInputs) -> onnx.ModelProto:
    import torch

    # Three rows: one and zero are sizes that the exporter would take for constants.
    rows = torch.zeros(3, inputs.numbers), torch.zeros(3, len(inputs.sizes), dtype=torch.int64)
    dynamic = {0: torch.export.Dim.DYNAMIC}
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                rows,
                dynamo=True,
                opset_version=20,
                dynamic_shapes=(dynamic, dynamic),
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise StepError(
            f"torch cannot write the module '{type(module).__name__}' as ONNX: {str(error).splitlines()[0]}",
            where="model",
            fix="write its nodes yourself in the model's `append`, or use operators that torch can export",
        ) from error
    finally:
        quiet.setLevel(level)
    if program is None:
        raise StepError(f"torch gave no ONNX for the module '{type(module).__name__}'", where="model")
    return program.model_proto


def _check(written: onnx.ModelProto) -> None:
    import onnx

    opsets = {item.domain or "": item.version for item in written.opset_import}
    used = {node.domain for node in written.graph.node}
    branches = any(
        item.type == onnx.AttributeProto.GRAPH for node in written.graph.node for item in node.attribute
    )
    if written.functions or branches or used - {""} or opsets.get("") != 20:
        raise StepError(
            "torch wrote the module with branches, functions or operators that cannot be joined",
            where="model",
            fix="write its nodes yourself in the model's `append`",
        )
