"""Answer rows over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from mlspec.sdk.deployment import Deployment
from mlspec.sdk.fields import Name, NoEffect, Secret, Sized, variable


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
    """The address `mlspec serve` listens on. Without a `token` everybody who reaches it is answered."""
    token: Secret | None = None
    """What callers must show, as `Authorization: Bearer <token>`; only ever `${oc.env:NAME}`. The package
    holds the variable's name, and who serves it sets the variable. `/healthz` and `/readyz` stay open."""
    max_body: Annotated[int, Sized("1KiB", "1GiB")] = 16 * 2**20
    """How large a request may be, in bytes or as `8MB` or `512KiB`; a larger one is answered with 413 before
    it is read to its end."""
    max_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    """Rows that one request may hold."""

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that answers everybody, and one that asks for a token."""
        return (cls.revive({}), cls.revive({"token": "${oc.env:API_TOKEN}", "max_body": "8MB"}))

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

        options: dict[str, Any] = {"kind": self.kind, "max_body": self.max_body, "max_rows": self.max_rows}
        if self.token is not None:
            options["token_variable"] = variable(self.token)
        pack(export, {"name": name, "deployment": deployment, **options}, references, output)
