"""The guard of `dvc repro`: a plan older than its spec is not run."""

from __future__ import annotations

from pathlib import Path

from mlspec.engine.files import write_bytes
from mlspec.errors import PlanError
from mlspec.plan.plan import Step
from mlspec.run.planned import planned
from mlspec.run.resolve import resolve
from mlspec.run.write_plan import stale_files


def check_plan(workspace: Path, step: Step) -> None:
    """Write `passed` where the written plan is what the spec says now.

    Args:
        workspace: The folder with `.dvc`.
        step: The stage `plan`: its parameters name the spec, overlays and overrides.

    Raises:
        PlanError: the spec says something else.
    """
    asked = step.parameters
    overlays = [workspace / overlay for overlay in asked["overlays"]]
    found = planned(workspace / asked["spec"], asked["overrides"], overlays, sample=asked.get("sample"))
    if stale_files(resolve(found.plan, workspace, locked=True), workspace):
        raise PlanError(
            "the spec has changed since this plan was written", where=asked["spec"], fix="mlspec plan --write"
        )
    write_bytes(workspace / step.output / "passed", b"passed\n")
