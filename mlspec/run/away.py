"""Whether the raw data that a step reads is here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.errors import MissingError, StepError
from mlspec.plan.plan import Step
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot


def away(step: Step, workspace: Path) -> MissingError | None:
    """Return what is missing where a step reads raw data that is not here; None for every other step."""
    options = step.parameters.get("data", {}).get("source")
    if options is None:
        return None
    source: Any = Slot("source").choose(freeze(options))
    if source.keeps and step.kind != "ingest":
        return None  # it reads what ingest kept
    try:
        source.columns(Context(workspace=workspace))
    except MissingError as missing:
        return MissingError(missing.what, where=step.name, fix=_mend(options, workspace) or missing.fix)
    except StepError:
        return None  # it is here; the step tells what is wrong with it
    return None


def _mend(options: Mapping[str, Any], workspace: Path) -> str | None:
    """Return how a local file comes here: by `dvc pull` where DVC keeps it, or the folder that it lies in."""
    path = options.get("path")
    if not isinstance(path, str) or "://" in path:
        return None
    for place in (Path(path), *Path(path).parents):
        kept = place.with_name(f"{place.name}.dvc") if place.name else None
        if kept is not None and (workspace / kept).is_file():
            return f"`dvc pull {kept.as_posix()}` brings it"
    return f"put '{path}' there"
