"""What a spec leaves to mlspec, chosen once and written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlspec.errors import PlanError
from mlspec.plan.build import pin_features
from mlspec.plan.plan import Plan
from mlspec.plan.plan_file import read_plan_file
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot


def resolve(plan: Plan, workspace: Path, *, locked: bool = False) -> Plan:
    """Return the plan with `features: auto` replaced: by what plan.yaml says if it fits, else anew.

    Args:
        plan: A plan, open or not.
        workspace: The folder with `.dvc`.
        locked: Refuse to choose anything.

    Raises:
        PlanError: something must be chosen, and nothing may be.
    """
    if not plan.open:
        return plan
    data = plan.step("ingest").parameters["data"]
    source: Any = Slot("source").choose(freeze(data["source"]))
    context = Context(workspace=workspace, name=plan.data_name, step="plan")
    columns = [name for name in source.columns(context) if name not in _used(data)]
    written = read_plan_file(workspace / "pipelines" / plan.data_name / "plan.yaml") or {}
    inferred = written.get("inferred") or {}
    pinned, left_out = inferred.get("features"), inferred.get("left_out") or []
    if isinstance(pinned, dict) and {*pinned, *left_out} == set(columns):
        return _pinned(plan, pinned, columns)
    if locked:
        raise PlanError(
            "'features: auto' is not written down yet for these columns, and --locked lets nothing be chosen",
            where="data.features",
            fix="`mlspec plan --write`, and commit pipelines/",
        )
    from mlspec.engine.propose import propose

    return _pinned(plan, propose(source, context, data), columns)


def _pinned(plan: Plan, features: Mapping[str, Any], columns: Sequence[str]) -> Plan:
    """Return the plan with features, and with a note of the columns that are not worth one."""
    left_out = sorted(set(columns) - set(features))
    pinned = pin_features(plan, features)
    return dataclasses.replace(pinned, inferred={**pinned.inferred, "left_out": left_out}) if left_out else pinned


def _used(data: dict[str, Any]) -> set[str]:
    """Return the columns that are spoken for."""
    used = {*data["key"], *data["ignore"], data["target"]["column"]}
    if data["weight"]:
        used.add(data["weight"])
    if data["event_time"]:
        used.add(data["event_time"]["column"])
    return used
