"""The exported file of a spec, as long as it is what the spec asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlspec.errors import MissingError, UsageError
from mlspec.plan.plan import Plan
from mlspec.run.planned import planned
from mlspec.run.resolve import resolve
from mlspec.run.status import status
from mlspec.spec.spec import Spec


@dataclass(frozen=True)
class Exported:
    """A spec and the file that its last run exported."""

    spec: Spec
    model: Path


def exported(
    path: Path,
    overrides: Sequence[str],
    overlays: Sequence[Path],
    *,
    export: str = "main",
    stale: bool = False,
) -> Exported:
    """Return the file that a spec's run exported.

    Args:
        path: The spec.
        overrides: What the command line sets.
        overlays: Files laid over the spec.
        export: Which of the spec's exports.
        stale: Take a file that is older than the plan, too.

    Raises:
        MissingError: nothing was exported yet, or what was is older than the plan.
        UsageError: the spec has no such export, or it is no file.
    """
    found = planned(path, overrides, overlays, data=False)
    if export not in found.spec.exports:
        raise UsageError(
            f"'{found.spec.name}' has no export called '{export}'",
            fix=f"one of {', '.join(found.spec.exports)}",
        )
    if found.spec.exports[export].form == "query":
        raise UsageError(
            f"'exports.{export}' is a query, and its database answers it",
            fix=f"run artifacts/{found.spec.name}/export-{export}/model.sql there, or name one of kind onnx",
        )
    run = "mlspec run" if str(path) == "spec.yaml" else f"mlspec run {path}"
    step = found.plan.step(f"export-{export}")
    model = found.workspace / step.output / "model.onnx"
    if not model.is_file():
        raise MissingError(f"'{found.spec.name}' has no exported model yet", where=str(path), fix=run)
    if not stale:
        _check(found.workspace, resolve(found.plan, found.workspace), step.name, run)
    return Exported(found.spec, model)


def _check(workspace: Path, plan: Plan, name: str, run: str) -> None:
    judged = {judgement.step.name: judgement for judgement in status(plan, workspace)}
    if not judged[name].works:
        return
    first = next(one for one in judged.values() if one.works)
    raise MissingError(
        f"the exported model is older than the plan: {first.step.name} must run ({first.reasons[0]})",
        where=name,
        fix=f"{run}, or --stale to take it as it is",
    )
