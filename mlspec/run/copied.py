"""A workspace in a folder of its own, as it lies here or as git has it, without a single result."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.compose.workspace import workspace_of
from mlspec.errors import MissingError, PlanError
from mlspec.plan.plan import Step
from mlspec.run.at_revision import LINK, at_revision
from mlspec.run.git import git
from mlspec.run.locked import hash_of, locked
from mlspec.run.shipped import shipped
from mlspec.run.tree_hash import file_hash, path_hash
from mlspec.run.written import written
from mlspec.spec.load import load

_GLOB = "*?["
_FOLDER = re.compile(r"artifacts/[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Copied:
    """The copy, and the steps that its written plan has."""

    name: str
    """The pipeline."""
    revision: str | None
    root: Path
    """The copy."""
    workspace: Path
    """The original."""
    steps: tuple[Step, ...]
    """In the order of work, without the guard."""
    locks: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """The stages of each pipeline's dvc.lock."""
    notes: tuple[str, ...]
    """What beside the data is not as the lock has it."""

    def lock(self, step: Step) -> Mapping[str, Any]:
        """Return what the lock says of a step; empty where it says nothing."""
        return self.locks.get(step.pipeline, {}).get(step.name, {})


def copied(spec: Path, revision: str | None, folder: Path) -> Copied:
    """Copy what decides over a plan, and link the raw data.

    Args:
        spec: The spec, as it lies here.
        revision: Any word of git's for a commit; None for what lies here.
        folder: An empty folder.

    Raises:
        MissingError: nothing was run there, or the raw data is not here or not what the lock names.
        UsageError: git knows no such revision.
    """
    workspace = workspace_of(spec)
    if revision is None:
        name = load(spec, (), (), data=False).spec.name
        (folder / ".dvc").mkdir()
        for part in ("pipelines", "plugins"):
            if (workspace / part).is_dir() and not shipped(workspace / part):
                shutil.copytree(workspace / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        from mlspec import registry

        registry.attach(folder)
    else:
        name = load(at_revision(spec, revision, folder), (), (), data=False).spec.name
    steps = tuple(_steps(folder, name))
    files = ((file.parent.name, file) for file in (folder / "pipelines").glob("*/dvc.lock"))
    locks = {pipeline: locked(file.read_bytes()) for pipeline, file in files}
    copy = Copied(name, revision, folder, workspace, steps, locks, ())
    notes = [*_edited(copy), *(note for step in steps for note in _bring(step, copy))]
    return Copied(name, revision, folder, workspace, steps, locks, tuple(dict.fromkeys(notes)))


def _edited(copy: Copied) -> Iterator[str]:
    """Give a note for each file of the spec that says something else than the plan that was run."""
    if copy.revision is not None:
        return
    for entry in copy.locks.get(copy.name, {}).get("plan", {}).get("deps") or ():
        file = copy.workspace / entry["path"]
        if not file.is_file() or file_hash(file) != entry.get("md5"):
            yield f"'{entry['path']}' was edited since: what is verified is the plan that was run"


def _steps(root: Path, name: str) -> Iterator[Step]:
    """Give the steps of a written plan: those of the data's pipeline first."""
    own = tuple(_of_pipeline(root, name))
    read = {folder.split("/")[1] for step in own for folder in step.inputs.values()}
    for pipeline in sorted(read - {name}):
        yield from _of_pipeline(root, pipeline)
    yield from own


def _of_pipeline(root: Path, pipeline: str) -> Iterator[Step]:
    import yaml

    place = f"pipelines/{pipeline}"
    file = root / place / "dvc.yaml"
    if not file.is_file():
        raise MissingError(f"there is no plan in '{place}'", fix="mlspec run")
    try:
        names = [str(name) for name in yaml.safe_load(file.read_text("utf-8"))["stages"] if name != "plan"]
        steps = [written(root, pipeline, name) for name in names]
        # Names become folders, and a repository may say anything.
        fit = all(_fits(word) for step in steps for word in (step.output, *step.inputs.values()))
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as fault:
        raise _broken(place) from fault
    if not fit:
        raise _broken(place)
    yield from steps


def _fits(folder: Any) -> bool:
    return isinstance(folder, str) and bool(_FOLDER.fullmatch(folder)) and ".." not in folder.split("/")


def _broken(place: str) -> PlanError:
    return PlanError(
        f"what lies in '{place}' is no plan",
        where=place,
        fix="`mlspec plan --write` makes it anew (after a merge, take either side of it first)",
    )


def _bring(step: Step, copy: Copied) -> Iterator[str]:
    """Bring the files that a step reads and no step writes; give a note for each that is not as it was."""
    source = step.parameters.get("data", {}).get("source", {})
    paths = [source.get("path"), *(source.get("files") or {}).values()]
    names = [path for path in step.dependencies if not path.startswith("artifacts/")]
    if step.kind == "ingest":
        names += [_without_glob(path) for path in paths if isinstance(path, str) and "://" not in path]
    for name in names:
        wanted = hash_of(copy.lock(step), name, "deps")
        place = copy.root / name
        if not place.exists():
            _fetch(name, wanted, copy, place)
        if not place.exists():
            raise MissingError(
                f"'{name}' is not here, and without it nothing can be built again",
                where=step.name,
                fix="bring the file, or `dvc pull` where DVC keeps it",
            )
        if wanted is None or path_hash(place) == wanted:
            continue
        if step.kind == "ingest" and not name.startswith("plugins/"):
            word = "folder" if place.is_dir() else "file"
            raise MissingError(
                f"'{name}' is not the {word} that the lock names: that data is not here",
                where=step.name,
                fix=f"bring that {word} back, or `mlspec run` with this one",
            )
        yield f"'{name}' is not as the lock has it"


def _fetch(name: str, wanted: str | None, copy: Copied, place: Path) -> None:
    """Take a file or a folder from the commit, else link what lies here, else what DVC's cache has."""
    if Path(name).is_absolute():
        return
    if ".." in Path(name).parts:
        raise MissingError(
            f"'{name}' lies outside the workspace, and a copy of it is what is worked in",
            fix="move the file into the workspace, or name it by its whole path",
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    if copy.revision is not None:
        listed = git(copy.workspace, "ls-tree", "-r", "-z", copy.revision, "--", name) or b""
        for entry in listed.split(b"\0")[:-1]:
            described, _, path = entry.partition(b"\t")
            mode, kind, digest = described.decode().split()
            file = copy.root / path.decode("utf-8", "surrogateescape")
            if kind == "blob" and mode != LINK and ".." not in file.parts:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(git(copy.workspace, "cat-file", "blob", digest) or b"")
        if place.exists():
            return
    here = copy.workspace / name
    cached = _cached(copy.workspace, wanted or "--")
    fits = here.exists() and wanted is not None and path_hash(here) == wanted
    chosen = here if fits or not cached.is_file() else cached
    # Behind a link to a folder of the user's, nothing is made.
    if not chosen.exists() or not place.parent.resolve().is_relative_to(copy.root.resolve()):
        return
    if chosen is cached and str(wanted).endswith(".dir"):
        _fetch_folder(copy.workspace, cached, place)
    else:
        place.symlink_to(chosen.resolve(), target_is_directory=chosen.is_dir())


def _fetch_folder(workspace: Path, listing: Path, place: Path) -> None:
    """Link the files that DVC's cache lists for a folder."""
    for entry in json.loads(listing.read_bytes()):
        file, cached = place / entry["relpath"], _cached(workspace, entry["md5"])
        if cached.is_file() and ".." not in Path(entry["relpath"]).parts:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.symlink_to(cached.resolve())


def _cached(workspace: Path, digest: str) -> Path:
    return workspace / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]


def _without_glob(path: str) -> str:
    """Return the part of a path before its first pattern.

    Example:
        >>> _without_glob("data/2024-*/rows.csv"), _without_glob("data/rows.csv")
        ('data', 'data/rows.csv')
    """
    kept: list[str] = []
    for part in Path(path).parts:
        if any(sign in part for sign in _GLOB):
            break
        kept.append(part)
    return Path(*kept).as_posix()
