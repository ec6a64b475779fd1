"""Arguments that many verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlspec.errors import MissingError, UsageError

DEFAULT_SPEC = "spec.yaml"


def add_spec(parser: argparse.ArgumentParser) -> None:
    """Add `[SPEC] [KEY=VALUE ...]`, `-c/--overlay` and `--json`."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="SPEC|KEY=VALUE",
        help="the spec, or a folder with a spec.yaml (default ./spec.yaml); then overrides, as Hydra's",
    )
    parser.add_argument(
        "-c",
        "--overlay",
        action="append",
        default=[],
        metavar="FILE",
        help="a YAML file laid over the spec (repeatable)",
    )
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument(
        "--json", action="store_true", help="print the result or the faults as JSON on stdout"
    )


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add `--wait`."""
    parser.add_argument("--wait", action="store_true", help="wait for another run in this workspace")


def is_override(word: str) -> bool:
    """Return whether a word is an override and not the spec's path.

    Example:
        >>> [is_override(word) for word in ("training.epochs=3", "~hardware", "my.yaml")]
        [True, True, False]
    """
    return ("=" in word or word.startswith(("~", "+"))) and not Path(word).is_file()


def spec_of(arguments: argparse.Namespace) -> tuple[Path, tuple[str, ...], tuple[Path, ...]]:
    """Return the spec's path, the overrides and the overlays of a command line.

    Raises:
        MissingError: there is no such spec or overlay.
        UsageError: the spec stands behind an override.
    """
    words = list(arguments.words)
    named = bool(words) and not is_override(words[0])
    path = Path(words.pop(0)) if named else Path(DEFAULT_SPEC)
    for word in words:
        if not is_override(word) and Path(word).exists():
            raise UsageError(
                f"'{word}' is no override", fix=f"name the spec first: mlspec VERB {word} KEY=VALUE"
            )
    if path.is_dir():
        path /= DEFAULT_SPEC
    if not path.is_file():
        fix = "check the path" if named else "name the spec, or write one with `mlspec init`"
        raise MissingError(f"there is no spec at '{path}'", fix=fix)
    overlays = tuple(Path(overlay) for overlay in arguments.overlay)
    for overlay in overlays:
        if not overlay.is_file():
            raise MissingError(f"there is no overlay at '{overlay}'", fix="check the path after -c")
    return path, tuple(words), overlays


def add_sample(parser: argparse.ArgumentParser) -> None:
    """Add `--sample N`."""
    parser.add_argument(
        "--sample", type=int, metavar="N", help="read N rows at most; such a run has folders of its own"
    )


def words_of(path: Path, overrides: tuple[str, ...], overlays: tuple[Path, ...]) -> str:
    """Return the words that name the same spec on another command line, a blank before each.

    Example:
        >>> words_of(Path("spec.yaml"), ("model={kind: linear}",), ())
        " 'model={kind: linear}'"
    """
    import shlex

    words = [] if path == Path(DEFAULT_SPEC) else [str(path)]
    words += overrides
    for overlay in overlays:
        words += ["-c", str(overlay)]
    return "".join(f" {shlex.quote(word)}" for word in words)
