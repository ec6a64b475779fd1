"""Work done again from the raw data, and held against what dvc.lock says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlspec.errors import CheckFailed, MissingError, UsageError
from mlspec.plan.plan import Step
from mlspec.run.copied import Copied, copied
from mlspec.run.lock import lock
from mlspec.run.locked import hash_of
from mlspec.run.metrics import metrics
from mlspec.run.perform import perform
from mlspec.run.record import latest, read_record
from mlspec.run.seal import recorded_hashes
from mlspec.run.tree_hash import file_hashes, tree_hash
from mlspec.run.versions import versions
from mlspec.run.watch import Watch


@dataclass(frozen=True)
class Rebuilt:
    """A step that was done again."""

    step: str
    equal: bool
    """Whether its folder has the hash that the lock names."""
    files: tuple[str, ...] = ()
    """Files that differ, came or went, sorted; empty where the old ones are not here to be compared."""
    failure: str | None = None
    """What its check said, where it let nothing pass now."""


@dataclass(frozen=True)
class Verified:
    """What came of a rebuild."""

    name: str
    revision: str | None
    """The user's word for it; None for the lock that lies here."""
    steps: tuple[Rebuilt, ...]
    """In the order of work."""
    metrics: Mapping[str, Mapping[str, tuple[Any, Any]]]
    """Of each export: each measure then and now."""
    versions: Mapping[str, tuple[str, str]]
    """Libraries that changed since the record of that run: then and now."""
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Rebuilt | None:
        """Return the first step that differs."""
        return next((step for step in self.steps if not step.equal), None)

    def plain(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return {
            "name": self.name,
            "revision": self.revision,
            "equal": self.first is None,
            "steps": [
                {"step": s.step, "equal": s.equal, "files": list(s.files), "failure": s.failure}
                for s in self.steps
            ],
            "metrics": {
                export: {name: {"then": then, "now": now} for name, (then, now) in values.items()}
                for export, values in self.metrics.items()
            },
            "versions": {name: {"then": then, "now": now} for name, (then, now) in self.versions.items()},
            "notes": list(self.notes),
        }


def verify(
    spec: Path,
    revision: str | None = None,
    *,
    until: str | None = None,
    wait: bool = False,
    watch: Watch | None = None,
) -> Verified:
    """Do every step again in a folder of its own, from the raw data, and compare.

    Neither artifacts nor DVC's cache nor checkpoints are read to work from: they only tell which files of a
    step differ. Nothing of the workspace is written but that folder, under `.mlspec/tmp/`, and it is removed.
    While the copy is made, no run may work here.

    Args:
        spec: The spec, as it lies here.
        revision: Any word of git's for a commit; None for the plan and the lock that lie here.
        until: The last step that is done.
        wait: Wait for a run in this workspace, instead of refusing: while it works, its lock is half written.
        watch: Told what happens.

    Raises:
        MissingError: there is no lock, the raw data is not here or not what the lock names, or a run works
            here.
        UsageError: git knows no such revision, or there is no such step.
        StepError: a step failed.
    """
    from mlspec.compose.workspace import workspace_of

    root = workspace_of(spec)
    folder = root / ".mlspec" / "tmp" / f"verify-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        watch = watch or Watch()
        held = lock(root, wait=wait, say=watch.said) if revision is None else nullcontext()
        with held:
            copy = copied(spec, revision, folder)
        return _verify(copy, until, watch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _verify(copy: Copied, until: str | None, watch: Watch) -> Verified:
    steps = _until(copy.steps, until)
    done = []
    for step in steps:
        watch.started(step, ())
        rebuilt = _rebuild(step, copy, watch)
        done.append(rebuilt)
        if rebuilt.failure is not None:
            break
    return Verified(copy.name, copy.revision, tuple(done), _metrics(steps, copy), _versions(copy), copy.notes)


def _until(steps: tuple[Step, ...], until: str | None) -> tuple[Step, ...]:
    if until is None:
        return steps
    places = [place for place, step in enumerate(steps) if until in (step.name, step.kind)]
    if not places:
        raise UsageError(f"there is no step '{until}'", fix=f"one of {', '.join(s.name for s in steps)}")
    return steps[: places[-1] + 1]


def _rebuild(step: Step, copy: Copied, watch: Watch) -> Rebuilt:
    wanted = hash_of(copy.lock(step), step.output)
    if wanted is None:
        raise MissingError(f"no lock names the step '{step.name}'", where=step.name, fix="mlspec run")
    try:
        # Sealed as the lock has it: a step whose inputs came out otherwise may still do the same.
        # Here, whatever started its processes then: how they are started changes no result.
        here = replace(step, launcher={"kind": "local"})
        perform(here, copy.root, recorded_hashes(copy.lock(step)), watch)
    except CheckFailed as failed:
        return Rebuilt(step.name, False, (), failed.what)
    found = file_hashes(copy.root / step.output)
    if tree_hash(found) == wanted:
        return Rebuilt(step.name, True)
    old = _listed(wanted, step, copy.workspace)
    if old is None:
        return Rebuilt(step.name, False)
    return Rebuilt(step.name, False, tuple(sorted(f for f in {*old, *found} if old.get(f) != found.get(f))))


def _listed(wanted: str, step: Step, workspace: Path) -> dict[str, str] | None:
    """Return the files that a folder had, from DVC's cache or the artifact that still lies here."""
    try:
        listed = json.loads(_cached(workspace, wanted).read_bytes())
        return {entry["relpath"]: entry["md5"] for entry in listed}
    except (OSError, ValueError, LookupError, TypeError):
        here = file_hashes(workspace / step.output)
        return here if tree_hash(here) == wanted else None


def _cached(workspace: Path, digest: str) -> Path:
    return workspace / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]


def _metrics(steps: tuple[Step, ...], copy: Copied) -> dict[str, dict[str, tuple[Any, Any]]]:
    now = metrics(steps, copy.root)
    return {
        export: {name: (then.get(name), values.get(name)) for name in sorted({*then, *values} - {"rows"})}
        for export, values in now.items()
        for then in (_metrics_then(export, steps, copy),)
    }


def _metrics_then(export: str, steps: tuple[Step, ...], copy: Copied) -> Mapping[str, Any]:
    """Return the measures of an export as they were: in full where the file is here, else as recorded."""
    step = next(step for step in steps if step.name == f"evaluate-{export}")
    listed = _listed(hash_of(copy.lock(step), step.output) or "", step, copy.workspace) or {}
    digest = listed.get("metrics.json", "")
    for file in (_cached(copy.workspace, digest), copy.workspace / step.output / "metrics.json"):
        if digest and file.is_file() and file_hashes(file.parent).get(file.name) == digest:
            content: dict[str, Any] = json.loads(file.read_bytes())
            return content
    try:
        return read_record(latest(copy.root, copy.name)).metrics.get(export, {})
    except (MissingError, UsageError):
        return {}


def _versions(copy: Copied) -> dict[str, tuple[str, str]]:
    try:
        then = read_record(latest(copy.root, copy.name)).versions
    except (MissingError, UsageError):
        return {}
    now = versions()
    return {name: (then[name], now[name]) for name in sorted(then) if name in now and then[name] != now[name]}
