"""plan.yaml and dvc.yaml on disk."""

from __future__ import annotations

from pathlib import Path

from mlspec.engine.files import write_bytes
from mlspec.plan.plan import Plan
from mlspec.plan.plan_file import plan_file
from mlspec.run.store import dvc_yaml


def write_plan(plan: Plan, workspace: Path) -> tuple[str, ...]:
    """Write the files that say something else than a plan, and return their paths from the workspace."""
    stale = stale_files(plan, workspace)
    for name, text in stale.items():
        write_bytes(workspace / name, text.encode())
    return tuple(stale)


def stale_files(plan: Plan, workspace: Path) -> dict[str, str]:
    """Return each file under `pipelines/` that must be written for a plan, with its text."""
    found = {}
    for pipeline in (plan.data_name, plan.name):
        for name, text in (("plan.yaml", plan_file(plan, pipeline)), ("dvc.yaml", dvc_yaml(plan, pipeline))):
            path = workspace / "pipelines" / pipeline / name
            if not path.is_file() or path.read_bytes() != text.encode():
                found[f"pipelines/{pipeline}/{name}"] = text
    return found
