"""Where an exported file comes from, as `mlspec show` tells it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlspec.cli.console import emit, stdout


def show_origin(file: Path, *, json: bool) -> None:
    """Print what a `.onnx` file says of its making, and which revision of the workspace here made it.

    Raises:
        MissingError: there is no such file, or it says nothing.
        UsageError: it is no self-contained ONNX model.
    """
    from mlspec.compose.workspace import workspace_of
    from mlspec.engine.exporting.artifact import read_artifact
    from mlspec.engine.exporting.read_provenance import read_provenance
    from mlspec.run.locked_at import locked_at

    told = read_provenance(file)
    version = read_artifact(file).contract.model_version
    found = locked_at(told, workspace_of(Path.cwd() / "spec.yaml"))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    if json:
        emit({"file": str(file), "sha256": sha256, "model_version": version, "found": list(found)} | told)
        return
    stdout().print("\n".join(_lines(told, version, sha256, found)))


def _lines(
    told: Mapping[str, Any], version: str | None, sha256: str, found: tuple[str, ...]
) -> Iterator[str]:
    yield f"{told['name']}, export '{told['export']}'"
    yield f"  model version  {version}"
    yield f"  file sha256    {sha256}"
    yield f"  spec           {told['spec']}"
    for step, parameters in told["parameters"].items():
        yield f"    {step:<12} {parameters}"
    data, split = told["data"], dict(told["split"])
    yield f"  data           manifest {data['manifest']}"
    yield f"                 {data['rows']} rows, {data['rejected']} of them rejected"
    rows = ", ".join(f"{name} {count}" for name, count in _in_order(split.pop("rows", {})))
    options = ", ".join(f"{name} {value}" for name, value in split.items() if name != "kind")
    yield f"  split          {split['kind']} ({options}): {rows}"
    yield f"  code           {', '.join(f'{name} r{number}' for name, number in told['revisions'].items())}"
    for name, known in told["files"].items():
        yield f"    {name} {known}"
    for step, known in told["locks"].items():
        yield f"  dvc.lock       {step} {known}"
    yield f"  made at        {_place(found)}"


def _in_order(rows: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    yield from ((name, rows[name]) for name in ("train", "val", "test") if name in rows)


def _place(found: tuple[str, ...]) -> str:
    from mlspec.run.locked_at import HERE

    if not found:
        return "no lock of this workspace's history names it"
    commit = next((word for word in found if word != HERE), None)
    if commit is None:
        return "the lock that lies here; it is in no commit yet"
    return f"commit {commit}" + (", and the lock that lies here" if HERE in found else "")
