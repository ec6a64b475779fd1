"""`mlspec show`: prints a spec as all layers make it, a run's record, or where a model file comes from."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.cli._harmless import harmless
from mlspec.cli._runs import WORDS, names_runs, show_record, show_runs
from mlspec.cli.arguments import add_spec, spec_of
from mlspec.compose.document import KeyPath

SUMMARY: str = "print a spec with presets, overlays and overrides merged; a run (last, runs); a model"
FORMS = """\
what is shown:
  mlspec show [SPEC] [KEY=VALUE]   the spec as it stands
  mlspec show last [SPEC]          the latest run: steps, times, rows, measures, gates, versions
  mlspec show runs [SPEC]          every run that is noted here, a line each
  mlspec show run-TIME [SPEC]      one of them; the first digits are enough
  mlspec show FILE.json            a record in a file, such as pipelines/NAME/run.json
  mlspec show MODEL.onnx           where a model comes from: spec, data, split, code, lock, commit
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the spec and `--resolved`."""
    add_spec(parser)
    parser.add_argument("--resolved", action="store_true", help="with every default filled in")
    parser.add_argument(
        "--comments", action="store_true", help="above each key what it means, and where its value was said"
    )
    parser.epilog = FORMS


def show(arguments: argparse.Namespace) -> int:
    """Print what the words name.

    Raises:
        SpecError: with every fault of the spec; the data is not looked at.
        MissingError: there is no such run or file here.
        UsageError: comments are asked for in JSON, which has none; or the words fit nothing.
    """
    from difflib import get_close_matches

    from mlspec.errors import MissingError, UsageError

    word = arguments.words[0] if arguments.words else ""
    if word.endswith(".onnx"):
        if arguments.resolved or arguments.comments or len(arguments.words) > 1:
            raise UsageError("a model file has neither layers nor overrides", fix=f"mlspec show {word}")
        from mlspec.cli._origin import show_origin

        show_origin(Path(word), json=arguments.json)
        return 0
    if names_runs(word) or word.endswith(".json"):
        if arguments.resolved or arguments.comments:
            raise UsageError("--resolved and --comments are for a spec", fix=f"mlspec show {word}")
        _show_runs(arguments, word)
        return 0
    meant = get_close_matches(word, WORDS, 1) if not Path(word).exists() else []
    if meant:
        raise MissingError(f"there is no spec at '{word}'", fix=f"did you mean 'mlspec show {meant[0]}'?")
    return _show_spec(arguments)


def _show_runs(arguments: argparse.Namespace, word: str) -> None:
    if word.endswith(".json") and not names_runs(word):
        from mlspec.run.record import read_record

        show_record(read_record(Path(word)), json=arguments.json)
        return
    from mlspec.spec.load import load

    arguments.words = arguments.words[1:]
    path, overrides, overlays = spec_of(arguments)
    loaded = load(path, overrides, overlays, data=False)
    show_runs(word, loaded.workspace, loaded.spec.name, json=arguments.json)


def _show_spec(arguments: argparse.Namespace) -> int:
    import sys

    from mlspec.spec.load import load

    if arguments.json and arguments.comments:
        from mlspec.errors import UsageError

        raise UsageError("JSON has no comments", fix="leave out --json or --comments")
    path, overrides, overlays = spec_of(arguments)
    loaded = load(path, overrides, overlays, data=False)
    tree = loaded.composed.tree
    if arguments.resolved:
        from mlspec.spec.shown import shown

        tree = shown(loaded.spec, loaded.composed, path.resolve().parent)
    if arguments.json:
        from mlspec.cli.console import emit

        emit(tree)
        return 0
    tree = _escaped(tree, (), frozenset(loaded.composed.environment))
    from mlspec.compose.write import write

    first = [name for name in ("apiVersion", "name", "seed") if name in tree]
    rest = sorted((name for name in tree if name not in first), key=_rank)
    text = write({name: tree[name] for name in (*first, *rest)})
    if arguments.comments:
        from mlspec.spec.commented import commented

        text = commented(text, loaded.spec, loaded.composed)
    sys.stdout.write(harmless(text))
    return 0


def _escaped(value: Any, path: KeyPath, secrets: frozenset[KeyPath]) -> Any:
    """Return plain data whose `${` are plain text to whoever reads it again: every reference is followed but
    those to the environment.
    """
    if isinstance(value, Mapping):
        return {key: _escaped(item, (*path, key), secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item, (*path, index), secrets) for index, item in enumerate(value)]
    return value.replace("${", "\\${") if isinstance(value, str) and path not in secrets else value


def _rank(name: str) -> int:
    from mlspec.spec.spec import Spec

    names = list(Spec.model_fields)
    return names.index(name) if name in names else len(names)
