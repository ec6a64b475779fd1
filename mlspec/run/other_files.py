"""Which files of a source are others than those that `ingest` told of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json
from mlspec.engine.reading.files import files_of
from mlspec.engine.reading.places import name_of, root_of
from mlspec.errors import MlspecError
from mlspec.plan.plan import Step
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot


def other_files(step: Step, workspace: Path) -> str | None:
    """Return how many of several files are new, changed, gone and as they were; None where all are as they
    were, where that cannot be told, and for every other source.

    Args:
        step: `ingest`.
        workspace: The folder with `.dvc`.
    """
    source = Slot("source").choose(freeze(step.parameters["data"]["source"]))
    if not isinstance(source, FileSource) or "://" in source.path:
        return None
    context, manifest = Context(workspace=workspace), workspace / step.output / "manifest.json"
    try:
        noted = {entry["name"]: entry for entry in read_json(manifest)["fingerprint"]["files"]}
        written, root = manifest.stat().st_mtime_ns, root_of(source.path, context)
        files = {name_of(file, context, root): file for file in files_of(source, context)}
        same = sum(name in noted and _same(file, noted[name], written) for name, file in files.items())
    except (OSError, ValueError, LookupError, TypeError, MlspecError):
        return None
    new, gone = len(files.keys() - noted.keys()), len(noted.keys() - files.keys())
    counts = {"new": new, "changed": len(files) - new - same, "gone": gone}
    told = [f"{count} {word}" for word, count in counts.items() if count]
    if not told or max(len(files), len(noted)) < 2:
        return None
    return f"files: {', '.join(told)}, {same} as they were"


def _same(file: Path, entry: Any, written: int) -> bool:
    """Return whether a file is what the manifest says; one that is older than the manifest is not read."""
    found = file.stat()
    if found.st_size != entry["size"]:
        return False
    if found.st_mtime_ns < written:
        return True
    with open(file, "rb") as stream:
        return bool(hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"])
