"""Whether a source that DVC cannot watch still holds what was read of it."""

from __future__ import annotations

from pathlib import Path

from mlspec.engine.files import read_json
from mlspec.plan.plan import Step
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Source
from mlspec.spec.needs import check_needs


def unmoved(step: Step, workspace: Path) -> bool:
    """Return whether a source's fingerprint is the one of the manifest; its rows are not read.

    Args:
        step: `ingest`, whose folder is as its lock says.
        workspace: The folder with `.dvc`.

    Raises:
        MissingError: the source is not within reach.
    """
    source = Slot("source").choose(freeze(step.parameters["data"]["source"]))
    assert isinstance(source, Source)
    check_needs([source])
    try:
        noted = read_json(workspace / step.output / "manifest.json")["fingerprint"]
    except (OSError, ValueError, LookupError):
        return False
    context = Context(workspace=workspace, name=step.pipeline, step=step.name)
    return bool(source.fingerprint(context) == noted)
