"""The package of a spec's deployment, as long as it is what the spec asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlspec.compose.composed import Composed
from mlspec.errors import MissingError, Place, UsageError
from mlspec.plan.plan import Plan
from mlspec.run.planned import planned
from mlspec.run.resolve import resolve
from mlspec.run.status import status
from mlspec.spec.spec import Spec


@dataclass(frozen=True)
class Packed:
    """A spec, one of its deployments, and the package that its last run wrote."""

    spec: Spec
    deployment: str
    folder: Path
    workspace: Path
    composed: Composed
    """Where each value of the spec was said."""

    def place(self, key: str) -> Place | None:
        """Return where a key of the deployment was said; None where nobody said it."""
        said = self.composed.origins(("deployments", self.deployment, key))
        return said[-1].place if said else None

    @property
    def artifacts(self) -> Path:
        """Return the folder of everything that this model's runs wrote."""
        return self.folder.parent


def packed(
    path: Path,
    overrides: Sequence[str],
    overlays: Sequence[Path],
    *,
    deployment: str | None = None,
    stale: bool = False,
) -> Packed:
    """Return the package that a spec's run wrote.

    Args:
        path: The spec.
        overrides: What the command line sets.
        overlays: Files laid over the spec.
        deployment: Which of the spec's deployments; may be absent where there is one.
        stale: Take a package that is older than the plan, too.

    Raises:
        MissingError: nothing was packed yet, or what was is older than the plan.
        UsageError: the spec has no such deployment, or several and none is named.
    """
    found = planned(path, overrides, overlays, data=False)
    name = _chosen(found.spec, deployment)
    run = "mlspec run" if str(path) == "spec.yaml" else f"mlspec run {path}"
    step = found.plan.step(f"package-{name}")
    folder = found.workspace / step.output
    if not (folder / "deployment.json").is_file():
        raise MissingError(f"the deployment '{name}' is not packed yet", where=str(path), fix=run)
    if not stale:
        _check(found.workspace, resolve(found.plan, found.workspace), step.name, run)
    return Packed(found.spec, name, folder, found.workspace, found.composed)


def _chosen(spec: Spec, deployment: str | None) -> str:
    names = sorted(spec.deployments)
    if not names:
        raise UsageError(
            f"'{spec.name}' has no deployments",
            where="deployments",
            fix="add `deployments: {online: {kind: rest}}`, then mlspec run",
        )
    if deployment is None and len(names) > 1:
        raise UsageError(f"'{spec.name}' has several deployments", fix=f"--deployment {' or '.join(names)}")
    if deployment is not None and deployment not in names:
        fix = f"one of {', '.join(names)}"
        raise UsageError(f"'{spec.name}' has no deployment called '{deployment}'", fix=fix)
    return deployment or names[0]


def _check(workspace: Path, plan: Plan, name: str, run: str) -> None:
    judged = {judgement.step.name: judgement for judgement in status(plan, workspace)}
    if not judged[name].works:
        return
    needed = {*plan.needs(name), name}
    first = next(one for key, one in judged.items() if one.works and key in needed)
    raise MissingError(
        f"the package is older than the plan: {first.step.name} must run ({first.reasons[0]})",
        where=name,
        fix=f"{run}, or --stale to take it as it is",
    )
