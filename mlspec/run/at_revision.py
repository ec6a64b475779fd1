"""A spec as git has it at a revision, with the presets and plug-ins of that revision beside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from mlspec.compose.workspace import workspace_of
from mlspec.errors import MissingError, UsageError
from mlspec.run.git import git
from mlspec.run.shipped import shipped

BESIDE = ("conf", "plugins", "contracts", "pipelines")
"""Folders of the workspace that decide over a plan; data is none of them."""
LINK = "120000"
"""The mode of a link in git: none is followed, none is made."""


def at_revision(path: Path, revision: str, into: Path) -> Path:
    """Write a spec of a revision, and what it is read with, into an empty folder; return its place there.

    Args:
        path: The spec, or its folder, as the user names it now.
        revision: Any word of git's for a commit: `HEAD~1`, a branch, a tag.
        into: An empty folder, which becomes a workspace.

    Raises:
        MissingError: git is missing, or the spec was not there at that revision.
        UsageError: the folder is in no git repository, or git knows no such revision.
    """
    spec = path / "spec.yaml" if path.is_dir() else path
    root = workspace_of(spec)
    folder = next(parent for parent in (root, *root.parents) if parent.is_dir())
    commit = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        inside = git(folder, "rev-parse", "--show-toplevel")
        if inside is None:
            raise UsageError(f"'{spec}' is in no git repository", fix="name two specs: mlspec diff A B")
        raise UsageError(f"git knows no revision '{revision}'", fix="`git log --oneline` lists them")
    name = PurePosixPath(spec.resolve().relative_to(root).as_posix())
    beside = [name for name in BESIDE if not shipped(root / name)]
    listed = git(folder, "ls-tree", "-r", "-z", commit.decode().strip(), "--", str(name), *beside) or b""
    found = False
    for entry in listed.split(b"\0")[:-1]:
        (mode, kind, digest), file = entry.split(b"\t", 1)[0].decode().split(), entry.split(b"\t", 1)[1]
        place = into / file.decode("utf-8", "surrogateescape")
        # A tree made by hand may hold any name: nothing is written outside the folder.
        if kind != "blob" or mode == LINK or ".." in place.parts:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(git(folder, "cat-file", "blob", digest) or b"")
        found = found or place == into / name
    if not found:
        raise MissingError(
            f"there is no '{name}' at '{revision}'", fix=f"`git log -- {name}` tells where it is"
        )
    (into / ".dvc").mkdir()
    return into / name
