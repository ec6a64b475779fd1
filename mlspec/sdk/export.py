"""What a trained model leaves the house as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from mlspec.sdk.gate import Gate
from mlspec.sdk.model import Model
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.slot import Slot


@dataclass(frozen=True)
class ExportInputs:
    """What an export is made of."""

    name: str
    """The spec's name."""
    model: Model
    prepared: Path
    """What `prepare` wrote."""
    trained: Path
    """What `train` wrote."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where the model comes from, as plain data that the artifact carries."""


class Export(Plugin):
    """One sort of artifact."""

    slot: ClassVar[str] = "export"
    form: ClassVar[Literal["onnx", "query"]] = "onnx"
    """What the artifact is: a file for ONNX Runtime, or a query that a database answers. A query is written
    of models and features whose `as_query` says so, and no deployment packs it.
    """

    gates: tuple[Annotated[Gate, Slot("gate", default="threshold")], ...] = ()
    """What must hold of this export before anything is packaged; `evaluation.gates` may speak of any."""

    def write(self, inputs: ExportInputs, output: Path) -> dict[str, Any]:
        """Write the artifact and its contract into a folder, and return the parity report.

        Raises:
            CheckFailed: the artifact's answers differ from those of training by more than the spec allows.
        """
        raise NotImplementedError

    def measured(self) -> tuple[str, ...]:
        """Return the files that evaluation scores: what is measured is what ships."""
        return ("model.onnx", "contract.json")
