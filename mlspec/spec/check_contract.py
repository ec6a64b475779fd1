"""Whether the contract lies where a run may write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlspec.compose.composed import Composed
from mlspec.compose.workspace import workspace_of
from mlspec.errors import Fault
from mlspec.spec.spec import Spec

OURS = frozenset({".git", ".dvc", ".mlspec", "artifacts", "pipelines"})
"""Folders of the workspace that belong to git, to DVC, or to what mlspec makes anew."""


def check_contract(spec: Spec, composed: Composed, folder: Path) -> Iterator[Fault]:
    """Give a contract that lies outside of the workspace, among files of others, or is no YAML file.

    The first run writes a missing contract: a spec from elsewhere must not choose any file of the machine.

    Args:
        spec: The spec.
        composed: Where each value was said.
        folder: The spec's folder, where relative paths start.
    """
    contract = spec.validation.contract
    root = workspace_of(folder / "spec.yaml")
    file = (
        root / "contracts" / f"{spec.data.name or spec.name}.yaml" if contract is None else folder / contract
    )
    why = _refused(file, root)
    if why is not None:
        what = f"the contract '{contract or file.relative_to(root).as_posix()}' {why}"
        fix = f"contract: contracts/{spec.data.name or spec.name}.yaml"
        yield composed.fault("MS0331", what, ("validation", "contract"), fix=fix)


def _refused(file: Path, root: Path) -> str | None:
    """Return why a file may not be written, with links followed; None where it may."""
    try:
        inside = file.resolve().relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return "does not lie in the workspace"
    if inside.parts and inside.parts[0].lower() in OURS:
        return f"lies in '{inside.parts[0]}', where mlspec, DVC or git write"
    if inside.suffix.lower() not in (".yaml", ".yml"):
        return "is no YAML file: its name ends otherwise"
    return None
