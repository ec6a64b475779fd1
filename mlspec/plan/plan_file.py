"""plan.yaml: the resolved parameters of a pipeline, one key a line, sorted; a plan has but one text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlspec.errors import PlanError
from mlspec.plan.plan import Plan
from mlspec.plan.scalar import scalar

HEAD = "# Written by `mlspec plan --write` and `mlspec run`. Commit it; change the spec, not this.\n"


def plan_file(plan: Plan, pipeline: str) -> str:
    """Return the text of `pipelines/<pipeline>/plan.yaml`."""
    steps = tuple(step for step in plan.steps if step.pipeline == pipeline)
    content: dict[str, Any] = {step.name: step.parameters for step in steps}
    content["inputs"] = {step.name: step.inputs for step in steps if step.inputs}
    launchers = {step.name: step.launcher for step in steps if step.launcher != {"kind": "local"}}
    if launchers:
        content["launchers"] = launchers
    memory = next((step.memory for step in steps if step.memory is not None), None)
    if memory is not None:
        content["memory"] = memory
    if pipeline == plan.name:
        content["plan"] = plan.guard.parameters
    elif plan.inferred:
        content["inferred"] = plan.inferred
    return HEAD + "".join(f"{line}\n" for line in _lines(content, ""))


def read_plan_file(path: Path) -> dict[str, Any] | None:
    """Return the content of a plan.yaml; None where there is none.

    Raises:
        PlanError: the file was changed by hand into something that is no plan.
    """
    import yaml

    try:
        # What this file holds reads the same in YAML 1.1 and 1.2: everything doubtful is quoted.
        content = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise _broken(path) from fault
    if not isinstance(content, dict):
        raise _broken(path)
    return content


def _broken(path: Path) -> PlanError:
    name = f"{path.parent.name}/{path.name}"
    return PlanError(f"'{name}' is no plan", where=str(path), fix="`mlspec plan --write` makes it anew")


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _entry(f"{indent}{scalar(str(key))}:", value[key], indent + "  ")
    else:
        for item in value:
            if isinstance(item, Mapping | list | tuple) and item:
                first, *rest = _lines(item, indent + "  ")
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from rest
            else:
                yield f"{indent}- {scalar(item)}"


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        yield head
        yield from _lines(value, indent)
    else:
        yield f"{head} {scalar(value)}"
