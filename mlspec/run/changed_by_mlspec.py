"""What another version of mlspec once made of the same spec."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.compose.document import KeyPath
from mlspec.errors import PlanError
from mlspec.plan.leaves import leaves
from mlspec.plan.plan import Plan
from mlspec.plan.plan_file import read_plan_file


def changed_by_mlspec(plan: Plan, workspace: Path) -> dict[KeyPath, tuple[Any, Any, tuple[str, ...]]]:
    """Return the parameters that a written plan has otherwise than the plan made now of the same files.

    Only a plan.yaml whose dvc.lock names the very files that lie here is believed: any other was written for
    another spec, and what differs may be the user's doing.

    Args:
        plan: Made now.
        workspace: Holds the spec, and `pipelines/` as they were written together.

    Returns:
        Each parameter's path with the written value, the value now, and the steps.
    """
    found: dict[KeyPath, tuple[Any, Any, tuple[str, ...]]] = {}
    try:
        written = {
            name: read_plan_file(workspace / "pipelines" / name / "plan.yaml") or {}
            for name in (plan.name, plan.data_name)
        }
    except PlanError:
        return found
    if written[plan.name].get("plan") != plan.guard.parameters or not _of_these_files(plan, workspace):
        return found
    for step in plan.steps:
        old = written[step.pipeline].get(step.name)
        for path, before, after in leaves(old, step.parameters, deep=True) if old else ():
            if plan.open and path[:2] == ("data", "features"):
                continue  # what was chosen for `auto` is written, and nothing chooses here
            if plan.open and path[0] == "revisions" and str(path[-1]).startswith("feature/"):
                continue
            steps = found[path][2] if path in found else ()
            found[path] = (before, after, (*steps, step.name))
    return found


def _of_these_files(plan: Plan, workspace: Path) -> bool:
    """Return whether the lock of the guard names the files of the plan with the content they have."""
    import yaml

    try:
        text = (workspace / "pipelines" / plan.name / "dvc.lock").read_text("utf-8")
        lock = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        listed = {item["path"]: item["md5"] for item in lock["stages"]["plan"]["deps"]}
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):
        return False
    return isinstance(listed, Mapping) and listed == {
        name: hashlib.md5((workspace / name).read_bytes(), usedforsecurity=False).hexdigest()
        for name in plan.files
        if (workspace / name).is_file()
    }
