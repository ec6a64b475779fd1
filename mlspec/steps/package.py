"""The step `package-<deployment>`: what is deployed, self-describing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.deployment import Deployment
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot


def package(
    parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context
) -> None:
    """Write a package: production needs neither the spec nor DVC.

    Args:
        parameters: `name` and `deployments.<deployment>`.
        inputs: `export-<name>` and `evaluate-<name>` of the export that is deployed, `gate` and `prepare`.
        output: An empty folder.
        context: Its step's name is told where something is missing.

    Raises:
        StepError: the gate has not passed, or an artifact is missing.
    """
    ((name, options),) = parameters["deployments"].items()
    deployment = Slot("deployment").choose(freeze(options))
    assert isinstance(deployment, Deployment)
    if not (inputs["gate"] / "passed").is_file():
        raise StepError("the gate has not passed", where=context.step, fix="mlspec run --until gate")
    references = {
        "inputs": inputs["prepare"] / "reference.json",
        "answers": inputs[f"evaluate-{deployment.export}"] / "answers.json",
    }
    export = inputs[f"export-{deployment.export}"]
    deployment.pack(
        export, parameters["name"], name, {k: v for k, v in references.items() if v.is_file()}, output
    )
