"""The hash that dvc.lock has of a folder, computed without DVC and without its cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

BLOCK = 1 << 20


def tree_hash(files: Mapping[str, str]) -> str:
    """Return the hash of a folder from those of its files.

    Args:
        files: The MD5 of each file, by its path from the folder.

    Source:
        `dvc_data.hashfile.tree.Tree.digest`, of DVC 3: the MD5 of a JSON list, sorted by path.
    """
    text = json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)], sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the MD5 of each file in a folder, by its path from there."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file_hash(file) for file in files}


def file_hash(file: Path) -> str:
    """Return a file's MD5."""
    total = hashlib.md5(usedforsecurity=False)
    with open(file, "rb") as content:
        while block := content.read(BLOCK):
            total.update(block)
    return total.hexdigest()


def path_hash(path: Path) -> str:
    """Return the hash of a file or a folder."""
    return tree_hash(file_hashes(path)) if path.is_dir() else file_hash(path)
