"""A step as the files under `pipelines/` describe it."""

from __future__ import annotations

from pathlib import Path

from mlspec.errors import MissingError, PlanError, UsageError
from mlspec.plan.plan import Step
from mlspec.plan.plan_file import read_plan_file


def written(workspace: Path, pipeline: str, name: str) -> Step:
    """Return a step of a written plan.

    Raises:
        MissingError: there is no such pipeline here.
        UsageError: the pipeline has no such step.
        PlanError: the files were changed by hand, or by a merge, into something that is no plan.
    """
    import yaml

    folder = workspace / "pipelines" / pipeline
    content = read_plan_file(folder / "plan.yaml")
    if content is None or not (folder / "dvc.yaml").is_file():
        raise MissingError(
            f"there is no plan in 'pipelines/{pipeline}'",
            where=str(workspace),
            fix="`mlspec plan --write` writes it",
        )
    try:
        stages = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"]
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError) as fault:
        raise PlanError(
            f"'pipelines/{pipeline}/dvc.yaml' cannot be read",
            where=str(workspace),
            fix="`mlspec plan --write` makes it anew",
        ) from fault
    if name not in stages:
        raise UsageError(f"'pipelines/{pipeline}' has no step '{name}'", fix=f"one of {', '.join(stages)}")
    return Step(
        name=name,
        pipeline=pipeline,
        parameters=content.get(name, {}),
        inputs=content.get("inputs", {}).get(name, {}),
        dependencies=tuple(stages[name].get("deps", ())),
        launcher=content.get("launchers", {}).get(name, {"kind": "local"}),
        memory=content.get("memory"),
        always=bool(stages[name].get("always_changed", False)),
    )
