"""Where an exported model answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from mlspec.sdk.fields import Name
from mlspec.sdk.plugin import Plugin


class Deployment(Plugin):
    """One way to run an export in production."""

    slot: ClassVar[str] = "deployment"

    export: Annotated[str, "name of an export"] = "main"
    """The export that is deployed."""

    def pack(
        self, export: Path, name: Name, deployment: Name, references: dict[str, Path], output: Path
    ) -> None:
        """Write a self-describing, byte-deterministic package: production needs neither the spec nor DVC.

        Args:
            export: Folder with `model.onnx` and `contract.json`.
            name: The spec's name.
            deployment: The deployment's name in the spec.
            references: `inputs` and `answers`: JSON files that monitoring compares with.
            output: An empty folder.
        """
        raise NotImplementedError
