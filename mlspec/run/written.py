"""A step as the files under `pipelines/` describe it."""

from __future__ import annotations

from pathlib import Path

from mlspec.errors import MissingError, UsageError
from mlspec.plan.plan import Step
from mlspec.plan.plan_file import read_plan_file


def written(workspace: Path, pipeline: str, name: str) -> Step:
    """Return a step of a written plan.

    Raises:
        MissingError: there is no such pipeline here.
        UsageError: the pipeline has no such step.
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
    stages = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"]
    if name not in stages:
        raise UsageError(f"'pipelines/{pipeline}' has no step '{name}'", fix=f"one of {', '.join(stages)}")
    return Step(
        name=name,
        pipeline=pipeline,
        parameters=content.get(name, {}),
        inputs=content.get("inputs", {}).get(name, {}),
        dependencies=tuple(stages[name].get("deps", ())),
        always=bool(stages[name].get("always_changed", False)),
    )
