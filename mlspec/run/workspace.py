"""The DVC repository of a workspace: made on the first run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from mlspec.engine.files import write_bytes
from mlspec.errors import MissingError

IGNORED = ("/artifacts/", "/.mlspec/")


def workspace(root: Path, say: Callable[[str], None] = lambda line: None) -> None:
    """Make a folder a workspace, where it is none yet: with git, below a git root, or without git.

    Raises:
        MissingError: DVC cannot work here.
    """
    quiet()
    git = _git_root(root)
    if git is not None:
        _ignore(root)
    # There from before the first file of DVC until after the last: a kill in between tears any of them.
    making = root / ".mlspec" / "making"
    if (root / ".dvc" / "config").is_file() and not making.exists():
        return
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        _sweep_dvcignore(root, making)
        write_bytes(making, b"")
        # `force`: what a killed first run left of a .dvc folder holds nothing.
        force = (root / ".dvc").is_dir()
        repo = Repo.init(str(root), no_scm=git is None, subdir=git not in (None, root), force=force)
        with repo.config.edit() as config:
            config["cache"] = {**config.get("cache", {}), "type": ["reflink", "hardlink", "copy"]}
        repo.close()
        making.unlink()
    except (DvcException, OSError) as fault:
        raise MissingError(f"no DVC repository can be made here: {fault}", where=str(root)) from fault
    kind = (
        "without git" if git is None else "beside git" if git == root else f"below the git repository {git}"
    )
    say(f"made a DVC repository in {root} ({kind}); commit .dvc/ and pipelines/ with your spec")


def quiet() -> None:
    """Import DVC, and keep it from phoning home and from telling its news on stdout."""
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    # It sets levels of its own while it is imported.
    import dvc  # noqa: F401

    for name in ("dvc", "dvc_data", "dvc_objects"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _git_root(root: Path) -> Path | None:
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return folder
    return None


def _sweep_dvcignore(root: Path, making: Path) -> None:
    """Remove the `.dvcignore` that a killed first run opened and never filled: DVC would leave it so."""
    file = root / ".dvcignore"
    if making.exists() and file.is_file() and not file.stat().st_size:
        file.unlink()


def _ignore(root: Path) -> None:
    """Keep artifacts out of git before DVC adds .gitignore files of its own inside them."""
    file = root / ".gitignore"
    text = file.read_text("utf-8") if file.exists() else ""
    missing = [entry for entry in IGNORED if entry not in text.splitlines()]
    if missing:
        gap = "" if not text or text.endswith("\n") else "\n"
        write_bytes(file, (text + gap + "".join(f"{entry}\n" for entry in missing)).encode())
