"""From a source's path to the files it means."""

from __future__ import annotations

import hashlib
import os
import stat
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
        MissingError: there is no such file, or it may not be read.
        StepError: a folder where a file must be; or what is no file: a pipe, a link that leads nowhere.
    """
    resolved = context.resolve(path)
    if is_glob(path):
        matched = sorted(_matches(resolved, path))
        found = tuple(file for file in matched if _is_file(file, path, suffixes))
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
    if not file.is_symlink() and not file.exists():
        raise MissingError(
            f"there is no file '{path}'",
            where="data.source.path",
            fix="check the path; it starts at the spec's folder",
        )
    _is_file(file, path)
    return (file,)


def _is_file(file: Path, path: str, suffixes: Sequence[str] = ()) -> bool:
    """Return whether what a path found is a file that can be read; False for a folder below a glob.

    What is neither must not be passed over: its rows would be missing, and nobody would know.
    """
    told = f"'{path}'" if Path(path).name == file.name else f"'{file.name}' of '{path}'"
    try:
        mode = file.stat().st_mode
    except PermissionError as error:
        raise _closed(told) from error
    except OSError as error:
        raise StepError(
            f"{told} is a link that leads to no file", where="data.source.path", fix="mend or remove the link"
        ) from error
    if stat.S_ISDIR(mode):
        if file.name.lower().endswith(tuple(suffixes)) and suffixes:
            fix = f"name the folder itself, or the files in it: {path}/*"
            raise StepError(f"{told} is a folder named like a file", where="data.source.path", fix=fix)
        return False
    if not stat.S_ISREG(mode):
        raise StepError(
            f"{told} is no file that can be read twice: a pipe or a device",
            where="data.source.path",
            fix="write it to a file first",
        )
    if not os.access(file, os.R_OK):
        raise _closed(told)
    return True


def _closed(told: str) -> MissingError:
    return MissingError(f"{told} may not be read", where="data.source.path", fix="ask for the right to it")


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
    seen = [*_below(folder, path)]
    counted = [file for file in seen if file.name.lower().endswith(tuple(suffixes))]
    found = tuple(sorted(file for file in counted if _is_file(file, path)))
    if not found:
        others = Counter(file.suffix.lower() or "no suffix" for file in seen)
        told = ", ".join(f"{count} of {suffix}" for suffix, count in others.most_common(5))
        raise MissingError(
            f"the folder '{path}' holds no file that ends in {' or '.join(suffixes)}",
            where="data.source.path",
            fix=f"it holds {told}: name them by a glob, or take another kind" if told else "it is empty",
        )
    return found


def _below(folder: Path, path: str) -> Iterator[Path]:
    """Give what lies in a folder at any depth, but for hidden names and marks.

    Raises:
        MissingError: a folder in it may not be looked into.
        StepError: a link in it leads to a folder: it may lead in a circle, and DVC does not follow it.
    """

    def refuse(error: OSError) -> None:
        raise _closed(f"'{Path(error.filename).name}' of '{path}'") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if name[0] not in "._"]
        for name in folders:
            if Path(place, name).is_symlink():
                raise StepError(
                    f"'{name}' of '{path}' is a link to a folder, and those are not followed",
                    where="data.source.path",
                    fix="move the files there, or name the folders by a glob",
                )
        yield from (Path(place, name) for name in files if name[0] not in "._")


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
