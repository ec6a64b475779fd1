"""The step `export-<name>`: the trained model as an artifact, held against training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.provenance import made_by, provenance
from mlspec.sdk.context import Context
from mlspec.sdk.export import Export, ExportInputs
from mlspec.sdk.frozen import freeze
from mlspec.sdk.model import Model
from mlspec.sdk.slot import Slot


def export(parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context) -> None:
    """Write an artifact, its contract and its parity report.

    Args:
        parameters: `name`, `exports.<name>` and `model`.
        inputs: `prepare` and `train`.
        output: An empty folder.
        context: Its step's name says which export this is, its locks what the model was made of.

    Raises:
        CheckFailed: the artifact's answers differ from those of training; the report stays in the folder.
    """
    (options,) = parameters["exports"].values()
    kind = Slot("export").choose(freeze(options))
    model = Slot("model").choose(freeze(parameters["model"]))
    assert isinstance(kind, Export) and isinstance(model, Model)
    (name,) = parameters["exports"]
    folders = inputs["prepare"], inputs["train"]
    own = made_by(parameters, context.workspace)
    made = ExportInputs(
        parameters["name"],
        model,
        *folders,
        provenance(parameters["name"], name, own, *folders, context.locks),
    )
    report = kind.write(made, output)
    itself = report.get("itself", {})
    if not itself.get("bit_equal", True):
        context.say(
            "this build of ONNX Runtime answers a row alone and in a batch differently "
            f"(by {itself['largest']:.2g}, within the tolerance)"
        )
