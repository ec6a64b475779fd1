"""`mlspec verify`: build everything again from the raw data, and hold it against the lock."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mlspec.cli._runs import number
from mlspec.cli.arguments import DEFAULT_SPEC, add_json, add_wait
from mlspec.cli.console import emit, stdout

if TYPE_CHECKING:
    from mlspec.run.verify import Rebuilt, Verified

SUMMARY = "build everything again from the raw data, and compare with the lock (of a revision)"
FORMS = """\
what is verified:
  mlspec verify [SPEC]             the plan and the lock that lie here
  mlspec verify [SPEC] REVISION    those of a commit, such as HEAD~1 or v1.2

The work is done in a folder of its own, without DVC's cache: nothing here is changed.
Ends with 0 where all is equal, 1 where something differs, 3 where the raw data is not here.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    parser.add_argument(
        "words", nargs="*", metavar="SPEC|REVISION", help="the spec (default ./spec.yaml), and a commit"
    )
    parser.add_argument("--until", metavar="STEP", help="stop after this step")
    add_wait(parser)
    add_json(parser)
    parser.epilog = FORMS


def verify(arguments: argparse.Namespace) -> int:
    """Rebuild, compare, and tell what differs.

    Raises:
        UsageError: the words name more than a spec and a revision.
        MissingError: there is no spec or no lock, the raw data is not here, or a run works here.
    """
    from mlspec.cli._progress import Progress
    from mlspec.run.verify import verify

    spec, revision = _named(arguments.words)
    with Progress() as progress:
        found = verify(spec, revision, until=arguments.until, wait=arguments.wait, watch=progress)
    if arguments.json:
        emit(found.plain())
    else:
        stdout().print("\n".join(_lines(found)))
    return 0 if found.first is None else 1


def _named(words: list[str]) -> tuple[Path, str | None]:
    from mlspec.errors import MissingError, UsageError

    left = list(words)
    spec = Path(left.pop(0)) if left and Path(left[0]).exists() else Path(DEFAULT_SPEC)
    revision = left.pop(0) if left else None
    if left:
        raise UsageError(f"'{left[0]}' is one word too many", fix="mlspec verify [SPEC] [REVISION]")
    spec = spec / DEFAULT_SPEC if spec.is_dir() else spec
    if not spec.is_file():
        raise MissingError(f"there is no spec at '{spec}'", fix="name it: mlspec verify SPEC [REVISION]")
    return spec, revision


def _lines(found: Verified) -> Iterator[str]:
    first = found.first
    against = "the lock that lies here" if found.revision is None else f"the lock of '{found.revision}'"
    yield f"{found.name}, built again from the raw data, against {against}"
    for step in found.steps:
        yield f"  {'equal' if step.equal else 'DIFFERS':<8} {step.step}{_files(step)}"
    yield from (f"  note     {note}" for note in found.notes)
    for export, values in found.metrics.items():
        yield f"metrics of '{export}', then and now"
        width = max((len(name) for name in values), default=0)
        for name, (then, now) in values.items():
            yield f"  {name:<{width}}  {_then(then)}  {_then(now)}"
    if found.versions:
        yield "versions, then and now"
        yield from (f"  {name}  {then}  {now}" for name, (then, now) in found.versions.items())
    if first is None:
        yield f"all {len(found.steps)} steps that were verified are equal"
    else:
        yield f"the first step that differs is {first.step}{_files(first)}"


def _then(value: object) -> str:
    return "-" if value is None else number(value)


def _files(step: Rebuilt) -> str:
    if step.failure is not None:
        return f": {step.failure}"
    shown = ", ".join(step.files[:4]) + (f" and {len(step.files) - 4} more" if len(step.files) > 4 else "")
    return f": {shown}" if shown else ""
