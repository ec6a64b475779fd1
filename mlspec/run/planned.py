"""From a spec's path to its plan."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mlspec
from mlspec.compose.composed import Composed
from mlspec.plan.build import build_plan
from mlspec.plan.plan import Plan
from mlspec.run.columns_then import known_columns
from mlspec.spec.load import load
from mlspec.spec.spec import Spec


@dataclass(frozen=True)
class Planned:
    """A spec, its plan, and where both belong."""

    spec: Spec
    plan: Plan
    workspace: Path
    composed: Composed
    """Where each value was said."""


def planned(
    path: Path,
    overrides: Sequence[str] = (),
    overlays: Sequence[Path] = (),
    *,
    sample: int | None = None,
    data: bool = True,
) -> Planned:
    """Read a spec and plan it. `features: auto` stays open (see `resolve`).

    Args:
        path: The spec.
        overrides: What the command line sets.
        overlays: Files laid over the spec.
        sample: Rows to read at most.
        data: Whether the spec's columns are held against the data's header. Where the data is not here and
            an earlier run of it is recorded, what that run saw stands for it.

    Raises:
        SpecError: the spec is wrong.
    """
    known = known_columns(path, sample)
    loaded = load(path, tuple(overrides), tuple(overlays), data=data, known=known)
    root = loaded.workspace
    plan = build_plan(
        loaded.spec,
        spec_path=_relative(path, root),
        overlays=[_relative(overlay, root) for overlay in overlays],
        overrides=overrides,
        files=[_relative(file, root) for file in loaded.files if not _shipped(file)],
        sample=sample,
    )
    return Planned(loaded.spec, plan, root, loaded.composed)


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path.resolve(), root)).as_posix()


def _shipped(file: Path) -> bool:
    """Return whether a file came with mlspec: the plan's guard sees a change of it by its effect."""
    package = Path(mlspec.__file__).resolve().parent
    return any(file.resolve().is_relative_to(folder) for folder in (package, package.parent / "conf"))
