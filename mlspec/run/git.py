"""What git says of a folder, without running or fetching anything that a stranger's configuration names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from mlspec.errors import MissingError


def git(folder: Path, *words: str) -> bytes | None:
    """Return what git says; None where it refuses.

    Raises:
        MissingError: git is not installed.
    """
    try:
        # Nothing is fetched: a remote's address in a stranger's configuration may be a command.
        environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}
        done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise MissingError("there is no git here", fix="install git, or name two files") from error
    return done.stdout if done.returncode == 0 else None
