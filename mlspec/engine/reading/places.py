"""From a source's path to the files it means."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context

if TYPE_CHECKING:
    from mlspec.engine.reading.remote import Remote

MAGIC = frozenset("*?[")


def is_glob(path: str) -> bool:
    """Return whether a path stands for many files."""
    return any(sign in path for sign in MAGIC)


def places(path: str, context: Context, suffixes: Sequence[str] = ()) -> tuple[Path, ...]:
    """Return the local files that a path, a glob or a folder means, in the order of their names.

    Args:
        path: Of the parameters.
        context: Where relative paths start.
        suffixes: Ends of names that count in a folder; without them a folder is refused.

    Raises:
        MissingError: there is no such file.
        StepError: a folder where a file must be.
    """
    resolved = context.resolve(path)
    if is_glob(path):
        found = tuple(sorted(file for file in _matches(resolved, path) if file.is_file()))
        if not found:
            raise MissingError(f"no file matches '{path}'", where="data.source.path")
        return found
    file = Path(resolved)
    if file.is_dir():
        if suffixes:
            return _inside(file, path, suffixes)
        raise StepError(
            f"'{path}' is a folder", where="data.source.path", fix=f"name its files: {path.rstrip('/')}/*"
        )
    if not file.is_file():
        raise MissingError(
            f"there is no file '{path}'",
            where="data.source.path",
            fix="check the path; it starts at the spec's folder",
        )
    return (file,)


def root_of(path: str, context: Context) -> PurePath:
    """Return the folder below which the files of a path lie: itself, its parent, or a glob's fixed part.

    Example:
        >>> root_of("data/year=*/part-*.csv", Context(Path("/here"))).as_posix()
        '/here/data'
    """
    if "://" in path:
        from mlspec.engine.reading.remote import remote_root

        return remote_root(path)
    resolved = Path(context.resolve(path))
    if is_glob(path):
        return Path(*resolved.parts[: _first_pattern(resolved, path)])
    return resolved if resolved.is_dir() else resolved.parent


def _matches(resolved: str, path: str) -> Iterator[Path]:
    """Give what a glob matches; signs in the workspace's own path are no patterns."""
    parts, fixed = Path(resolved).parts, _first_pattern(Path(resolved), path)
    yield from Path(*parts[:fixed]).glob(str(Path(*parts[fixed:])))


def _first_pattern(resolved: Path, path: str) -> int:
    own = Path(path).parts
    before = len(resolved.parts) - len(own)
    return before + next(place for place, part in enumerate(own) if is_glob(part))


def _inside(folder: Path, path: str, suffixes: Sequence[str]) -> tuple[Path, ...]:
    """Return the files of a folder that count: not the hidden ones, nor marks such as `_SUCCESS`."""
    every = [file for file in folder.rglob("*") if file.is_file()]
    seen = [file for file in every if not any(part[0] in "._" for part in file.relative_to(folder).parts)]
    found = tuple(sorted(file for file in seen if file.name.lower().endswith(tuple(suffixes))))
    if not found:
        others = Counter(file.suffix.lower() or "no suffix" for file in seen)
        told = ", ".join(f"{count} of {suffix}" for suffix, count in others.most_common(5))
        raise MissingError(
            f"the folder '{path}' holds no file that ends in {' or '.join(suffixes)}",
            where="data.source.path",
            fix=f"it holds {told}: name them by a glob, or take another kind" if told else "it is empty",
        )
    return found


def name_of(file: Path | Remote, context: Context, root: PurePath | None = None) -> str:
    """Return a file as an output may name it: below the workspace, else below its source's folder."""
    for folder in (context.workspace, *(() if root is None else (root,))):
        try:
            return file.relative_to(folder).as_posix()
        except ValueError:
            continue
    return file.name


def fingerprint_of(files: tuple[Path, ...], context: Context, path: str | None = None) -> dict[str, Any]:
    """Return names, sizes in bytes and SHA-256 of files.

    Args:
        files: In their order.
        context: Where relative paths start.
        path: What stands for them, so that files outside of the workspace can be told apart.
    """
    root = None if path is None else root_of(path, context)
    entries = []
    for file in files:
        with open(file, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        entries.append({"name": name_of(file, context, root), "size": file.stat().st_size, "sha256": digest})
    return {"files": entries}
