"""Answer rows over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from mlspec.sdk.deployment import Deployment
from mlspec.sdk.fields import Name, NoEffect


class Rest(Deployment):
    """A web service: POST `/predict` takes JSON rows and gives answers.

    The package is a Bento project: `bentoml serve`, `bentoml build` and `bentoml containerize` take it, and
    `mlspec serve` answers with the same application without BentoML in between.
    """

    requires: ClassVar[Mapping[str, str]] = {"onnxruntime": "serve", "starlette": "serve", "uvicorn": "serve"}

    port: Annotated[int, Field(ge=0, le=65535), NoEffect()] = 3000
    """Where `mlspec serve` listens; 0 takes a free one."""
    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$"), NoEffect()] = (
        "127.0.0.1"
    )
    """The address `mlspec serve` listens on. The service asks nobody for a password: open it with care."""
    max_body: int = Field(default=16 * 2**20, ge=1024, le=2**30)
    """Bytes that a request may have; larger ones are answered with 413."""
    max_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    """Rows that one request may hold."""

    def pack(
        self, export: Path, name: Name, deployment: Name, references: dict[str, Path], output: Path
    ) -> None:
        """Write the package: model, contract, references, service, requirements and the wheel they need.

        Args:
            export: Folder with `model.onnx`, `contract.json` and, where there is one, `conformance.json`.
            name: The spec's name.
            deployment: The deployment's name in the spec.
            references: `inputs` and `answers`: JSON files that monitoring compares with.
            output: An empty folder.

        Raises:
            MissingError: the parts of mlspec that serve are not installed as a whole.
        """
        from mlspec.engine.serving.pack import pack

        options = {"kind": self.kind, "max_body": self.max_body, "max_rows": self.max_rows}
        pack(export, {"name": name, "deployment": deployment, **options}, references, output)
