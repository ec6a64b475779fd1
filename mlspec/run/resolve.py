"""What a spec leaves to mlspec, chosen once and written down."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlspec.errors import MissingError, PlanError
from mlspec.plan.build import pin_features
from mlspec.plan.plan import Plan
from mlspec.plan.plan_file import read_plan_file
from mlspec.plan.sides import sides
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot


def resolve(
    plan: Plan, workspace: Path, *, locked: bool = False, say: Callable[[str], None] = lambda line: None
) -> Plan:
    """Return the plan with `features: auto` replaced: by what plan.yaml says if it fits, else anew.

    Args:
        plan: A plan, open or not.
        workspace: The folder with `.dvc`.
        locked: Refuse to choose anything.
        say: Told which columns are left out, and why.

    Raises:
        PlanError: something must be chosen, and nothing may be.
        MissingError: something must be chosen, and the data is not here.
    """
    if not plan.open:
        return plan
    data = plan.step("ingest").parameters["data"]
    source: Any = Slot("source").choose(freeze(data["source"]))
    context = Context(workspace=workspace, name=plan.data_name, step="plan", say=say)
    pinned = _pinned(workspace / "pipelines" / plan.data_name / "plan.yaml", locked, say)
    features = pinned.get("features") or {}
    try:
        columns = [name for name in source.columns(context) if name not in _used(data)]
    except MissingError:
        # Not here, so nothing new can be chosen: what is written stands, where it can be of this spec.
        columns = [*features, *pinned.get("left_out", ())]
        if not features or _used(data) & set(columns):
            raise
    if features and {*features, *pinned.get("left_out", ())} == set(columns):
        return pin_features(plan, features, columns)
    if locked:
        raise PlanError(
            "'features: auto' is not written down yet for these columns, and --locked lets nothing be chosen",
            where="data.features",
            fix="`mlspec plan --write`, and commit pipelines/",
        )
    from mlspec.engine.checking.propose import propose

    scratch = workspace / ".mlspec" / "tmp" / f"auto-{os.getpid()}"
    try:
        found = propose(source, dataclasses.replace(context, scratch=scratch), data)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return pin_features(plan, found, columns)


def _pinned(path: Path, locked: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return what was chosen before; nothing where a merge of two choices left none."""
    try:
        return (read_plan_file(path) or {}).get("inferred") or {}
    except PlanError:
        if locked:
            raise
        both = [_inferred(side) for side in sides(path.read_text("utf-8", "replace")) or ()]
        if both and both[0] == both[1]:
            return both[0]
        say(f"pipelines/{path.parent.name}/plan.yaml cannot be read (a merge?): features are chosen anew")
        return {}


def _inferred(text: str) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return {}
    found = content.get("inferred") if isinstance(content, dict) else None
    return found if isinstance(found, dict) else {}


def _used(data: dict[str, Any]) -> set[str]:
    """Return the columns that are spoken for."""
    used = {*data["key"], *data["ignore"], data["target"]["column"]}
    if data["weight"]:
        used.add(data["weight"])
    if data["event_time"]:
        used.add(data["event_time"]["column"])
    return used
