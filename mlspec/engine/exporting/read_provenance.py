"""Where an exported file says that it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlspec.engine.exporting.join import PROVENANCE
from mlspec.engine.graph.open_model import open_model
from mlspec.errors import MissingError, StepError


def read_provenance(path: Path) -> dict[str, Any]:
    """Return what a `.onnx` file carries of its making; nothing of it is run, and nothing else is read.

    Raises:
        MissingError: there is no such file, or it says nothing of its making.
        UsageError: it is no self-contained ONNX model.
        StepError: what it says cannot be read.
    """
    if not path.is_file():
        raise MissingError(f"there is no model file '{path}'", fix="mlspec run")
    held = {entry.key: entry.value for entry in open_model(path.read_bytes()).metadata_props}
    if PROVENANCE not in held:
        raise MissingError(f"'{path}' does not say where it comes from", fix="export it again: mlspec run")
    try:
        content = json.loads(held[PROVENANCE])
    except ValueError as error:
        raise StepError(f"what '{path}' says of its making cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("version") != 1:
        raise StepError(
            f"'{path}' tells its making in a form that this mlspec does not know", fix="take a newer mlspec"
        )
    return content
