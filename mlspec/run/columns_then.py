"""The columns of raw data that is not here, as an earlier run saw them."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable
from pathlib import Path

from mlspec.compose.workspace import workspace_of
from mlspec.plan.build import data_pipeline
from mlspec.plan.plain import plain
from mlspec.run.locked import locked
from mlspec.spec.spec import Spec


def known_columns(path: Path, sample: int | None = None) -> Callable[[Spec], tuple[str, ...] | None]:
    """Return what `load` asks for the columns of data that is not here.

    Args:
        path: The spec's.
        sample: Rows that are read at most; such a run has pipelines of its own.
    """
    root = workspace_of(path)
    folder = posixpath.dirname(Path(os.path.relpath(path.resolve(), root)).as_posix())
    return lambda spec: columns_then(spec, folder, data_pipeline(spec, sample), root)


def columns_then(spec: Spec, folder: str, pipeline: str, workspace: Path) -> tuple[str, ...] | None:
    """Return the columns that the recorded run of `ingest` found; empty where its files are not here either.

    Args:
        spec: Names the source.
        folder: The spec's, from the workspace.
        pipeline: Of the data steps.
        workspace: The folder with `.dvc`.

    Returns:
        None where no run of this very source is recorded: then what is missing is a fault of the spec.
    """
    place = workspace / "pipelines" / pipeline
    try:
        stage = locked((place / "dvc.lock").read_bytes()).get("ingest", {})
        then = stage["params"][f"pipelines/{pipeline}/plan.yaml"]["ingest"]["data"]["source"]
    except (OSError, LookupError, TypeError):
        return None
    if then != plain(spec.data.source, folder):
        return None
    try:
        manifest = json.loads((workspace / "artifacts" / pipeline / "ingest" / "manifest.json").read_bytes())
        return tuple(manifest["columns"])
    except (OSError, ValueError, LookupError, TypeError):
        return ()
