"""An exported file on disk: its bytes, and the contract that it carries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import onnx
from pydantic import ValidationError

from mlspec.engine.exporting.join import CONTRACT
from mlspec.engine.graph.open_model import open_model
from mlspec.errors import MissingError, StepError
from mlspec.sdk.contract import Contract


@dataclass(frozen=True)
class Artifact:
    """What a scorer needs of a file."""

    content: bytes
    contract: Contract


def read_artifact(path: Path) -> Artifact:
    """Return the bytes and the contract of an exported file; nothing of it is run.

    Raises:
        MissingError: there is no such file, or no contract in its metadata or beside it.
        UsageError: it is no self-contained ONNX model.
        StepError: its contract cannot be read.
    """
    if not path.is_file():
        raise MissingError(f"there is no model file '{path}'", fix="mlspec run")
    content = path.read_bytes()
    return Artifact(content, _contract(open_model(content), path))


def _contract(model: onnx.ModelProto, path: Path) -> Contract:
    held = {entry.key: entry.value for entry in model.metadata_props}
    beside = path.with_name("contract.json")
    if CONTRACT in held:
        text = held[CONTRACT]
    elif beside.is_file():
        text = beside.read_text(encoding="utf-8")
    else:
        raise MissingError(
            f"'{path}' carries no contract, and there is no contract.json beside it",
            fix="take a file that mlspec exported",
        )
    try:
        return Contract.revive(json.loads(text))
    except (ValidationError, json.JSONDecodeError) as error:
        raise StepError(f"the contract of '{path}' cannot be read: {error}") from error
