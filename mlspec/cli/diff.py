"""`mlspec diff`: what two specs say differently, and what follows."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import DEFAULT_SPEC, add_spec, is_override
from mlspec.cli.console import emit

if TYPE_CHECKING:
    from mlspec.cli._compared import Side

SUMMARY = "say what differs between two specs, overlays or git revisions, and which steps follow"
FORMS = """\
what is compared:
  mlspec diff A B                  two specs
  mlspec diff [SPEC]               git's HEAD and the file as it is now
  mlspec diff [SPEC]@REVISION      a revision of git and the file as it is now
  mlspec diff S@REVISION T@OTHER   two revisions
  mlspec diff [SPEC] KEY=VALUE     the file, and the file with overrides or overlays (-c)

Overrides and overlays lie on the second side. Nothing of the data is read.
Ends with 0 unless a spec is wrong.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    parser.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request")
    parser.epilog = FORMS


def diff(arguments: argparse.Namespace) -> int:
    """Tell what differs, by what follows from it.

    Raises:
        UsageError: the words name no two things.
        SpecError: one of the specs is wrong.
    """
    import sys

    from mlspec.cli._compared import as_json, as_markdown, as_text
    from mlspec.errors import UsageError
    from mlspec.plan.compare import compare
    from mlspec.run.changed_by_mlspec import changed_by_mlspec

    if arguments.json and arguments.markdown:
        raise UsageError("--json and --markdown ask for two forms", fix="choose one")
    first, second, overrides, overlays = _named(arguments)
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(_side(first))
        new = stack.enter_context(_side(second, overrides, overlays))
        edited = _edited(old, new) if old.revision or new.revision else {}
        made = changed_by_mlspec(old.found.plan, old.found.workspace) if old.revision else {}
        planned = ((side.found.spec, side.found.plan) for side in (old, new))
        found = compare(next(planned), next(planned), edited, made)
        if arguments.json:
            emit(as_json(found, old, new))
        else:
            sys.stdout.write(harmless((as_markdown if arguments.markdown else as_text)(found, old, new)))
    return 0


def _named(arguments: argparse.Namespace) -> tuple[str, str, tuple[str, ...], tuple[Path, ...]]:
    """Return what stands on each side, as the user names it."""
    from mlspec.errors import MissingError, UsageError

    words = list(arguments.words)
    names = []
    while words and not is_override(words[0]):
        names.append(words.pop(0))
    overlays = tuple(Path(overlay) for overlay in arguments.overlay)
    for overlay in overlays:
        if not overlay.is_file():
            raise MissingError(f"there is no overlay at '{overlay}'", fix="check the path after -c")
    for word in words:
        if not is_override(word):
            raise UsageError(f"'{word}' is no override", fix="name specs first: mlspec diff A B KEY=VALUE")
    if len(names) > 2:
        raise UsageError(f"'{names[2]}' is one spec too many", fix="mlspec diff A B")
    if len(names) == 2:
        return names[0], names[1], tuple(words), overlays
    name = names[0] if names else DEFAULT_SPEC
    name = f"{DEFAULT_SPEC}{name}" if name.startswith("@") else name
    path, revision = _parted(name)
    if revision is None and not words and not overlays:
        return f"{path}@HEAD", path, (), ()
    return name, path, tuple(words), overlays


def _parted(name: str) -> tuple[str, str | None]:
    """Return a path and the revision behind its `@`.

    Example:
        >>> _parted("models/spec.yaml@HEAD~1")
        ('models/spec.yaml', 'HEAD~1')
    """
    path, sign, revision = name.partition("@")
    if not sign or Path(name).exists():
        return name, None
    return path or DEFAULT_SPEC, revision or "HEAD"


@contextlib.contextmanager
def _side(name: str, overrides: tuple[str, ...] = (), overlays: tuple[Path, ...] = ()) -> Iterator[Side]:
    """Give one side, planned; a revision lies in a folder of its own for so long."""
    import tempfile

    from mlspec.cli._compared import Side
    from mlspec.errors import MissingError
    from mlspec.run.planned import planned

    path, revision = _parted(name)
    place = Path(path)
    shown = " ".join([name, *(f"-c {overlay}" for overlay in overlays), *overrides])
    if revision is None:
        place = place / DEFAULT_SPEC if place.is_dir() else place
        if not place.is_file():
            raise MissingError(f"there is no spec at '{place}'", fix="check the path")
        yield Side(shown, None, planned(place, overrides, overlays, data=False))
        return
    from mlspec.run.at_revision import at_revision

    with tempfile.TemporaryDirectory(prefix="mlspec-diff-") as folder:
        there = at_revision(place, revision, Path(folder).resolve())
        with _named_as(there, name):
            found = planned(there, overrides, overlays, data=False)
        yield Side(shown, revision, found, there)


@contextlib.contextmanager
def _named_as(file: Path, name: str) -> Iterator[None]:
    """Tell faults of a file at the name that the user gave it."""
    from mlspec.errors import Place, SpecError

    try:
        yield
    except SpecError as error:
        faults = []
        for fault in error.faults:
            where = fault.where
            if isinstance(where, Place):
                where = dataclasses.replace(where, document=where.document.replace(str(file), name))
            what = fault.what.replace(str(file), name)
            faults.append(dataclasses.replace(fault, what=what, where=where))
        raise SpecError(tuple(faults)) from error.__cause__


def _edited(old: Side, new: Side) -> dict[str, tuple[Any, Any]]:
    """Return the plug-ins and contracts whose content differs, with a word for each side."""
    from mlspec.plan.leaves import GONE

    names = {
        name
        for side in (old, new)
        for step in side.found.plan.steps
        for name in step.dependencies
        if name.startswith(("plugins/", "contracts/"))
    }
    told = {}
    for name in sorted(names):
        one, other = (_content(side.found.workspace / name) for side in (old, new))
        if one != other:
            words = (GONE if one is None else "a file", GONE if other is None else "edited")
            told[name] = words
    return told


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
