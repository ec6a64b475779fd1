"""What may stand at the end of an unfinished command line. Reads small files; imports nothing heavy."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mlspec.cli._parser import Parser
from mlspec.cli._verbs import verbs

SCHEMA = Path(".mlspec") / "spec.schema.json"
FILES = {".yaml", ".yml"}
DATA = {
    ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".arrow", ".feather", ".ipc",
    ".gz", ".zst",
}  # fmt: skip
_STEP = re.compile(r"^([a-z][a-z0-9_-]*):", re.MULTILINE)
_NO_STEPS = {"inputs", "plan", "inferred"}
DEEPEST = 6


def candidates(line: str) -> list[str]:
    """Return whole words that begin as the last word of a line does, sorted.

    Args:
        line: From the command's name to the cursor.
    """
    words = _words(line)
    if len(words) < 2:
        return []
    *before, last = words[1:]
    if not before:
        return _fitting([*verbs(), "help", "--help", "--version"], last)
    verb = before[0]
    if verb == "help":
        return _fitting(verbs(), last)
    if verb not in verbs():
        return []
    return _fitting(_of_verb(verb, before[1:], last), last)


def _words(line: str) -> list[str]:
    """Return the words of a line; the last one is what the cursor stands behind, perhaps nothing."""
    import shlex

    for close in ("", "'", '"'):
        try:
            words = shlex.split(line + close)
        except ValueError:
            continue
        return [*words, ""] if not close and line[-1:].isspace() else words
    return []


def _fitting(words: Any, last: str) -> list[str]:
    return sorted({word for word in words if word.startswith(last)})


def _of_verb(verb: str, before: list[str], last: str) -> Iterator[str]:
    parser = Parser(prog=f"mlspec {verb}", allow_abbrev=False)
    parser.add_argument("-v", "--verbose", action="store_true")
    module = import_module(f"mlspec.cli.{verb}")
    module.add_arguments(parser)
    options: dict[str, argparse.Action] = dict(parser._option_string_actions)
    asked = options.get(before[-1]) if before else None
    if asked is not None and asked.nargs != 0:
        yield from _value(asked, last)
        return
    if last.startswith("-"):
        shown = {name for name, action in options.items() if action.help != argparse.SUPPRESS}
        yield from (name for name in shown if name.startswith("--") or last == name)
        return
    given = _positional(before, options)
    places = [action for action in parser._actions if not action.option_strings]
    index = min(len(given), len(places) - 1)
    if not places or (len(given) >= len(places) and places[-1].nargs not in ("*", "+")):
        return
    yield from _place(places[index], given, last)


def _positional(before: list[str], options: dict[str, argparse.Action]) -> list[str]:
    """Return the words that are no options and no options' values."""
    found, skip = [], False
    for word in before:
        if skip:
            skip = False
        elif word.startswith("-") and word in options:
            skip = options[word].nargs != 0
        elif not word.startswith("-"):
            found.append(word)
    return found


def _value(action: argparse.Action, last: str) -> Iterator[str]:
    """Give what an option takes."""
    if action.choices is not None:
        yield from map(str, action.choices)
    elif action.metavar == "STEP":
        yield from _steps("*")
    elif action.dest == "overlay":
        yield from _files(last, FILES)
    elif action.metavar == "FILE" or action.dest == "folder":
        yield from _files(last, DATA)


def _place(action: argparse.Action, given: list[str], last: str) -> Iterator[str]:
    """Give what a positional argument takes."""
    if action.choices is not None:
        yield from (str(word) for word in action.choices if not str(word).startswith("_"))
    elif action.dest == "words":
        yield from _files(last, FILES)
        # Some hundred keys are no help before the first letter.
        yield from _overrides(last) if last else ()
    elif action.dest == "key":
        yield from (key for key, _ in _keys())
    elif action.dest == "slot":
        yield from _slots()
    elif action.dest == "kind":
        yield from _kinds(given[0])
    elif action.dest == "pipeline":
        yield from (place.parent.name for place in Path("pipelines").glob("*/plan.yaml"))
    elif action.dest == "step":
        yield from _steps(given[0])
    elif action.dest in ("source", "data"):
        yield from _files(last, DATA)
    elif action.dest == "folder":
        yield from _files(last, set())


def _files(last: str, suffixes: set[str]) -> Iterator[str]:
    """Give folders, and files of some kinds, that begin as a word does."""
    head = last.rpartition("/")[0] + "/" if "/" in last else ""
    folder = Path(head or ".").expanduser()
    hidden = last[len(head) :].startswith(".")
    try:
        entries = [*folder.iterdir()] if folder.is_dir() else []
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") and not hidden:
            continue
        if entry.is_dir():
            yield f"{head}{entry.name}/"
        elif entry.suffix.lower() in suffixes:
            yield f"{head}{entry.name}"


def _steps(pipeline: str) -> Iterator[str]:
    """Give the steps of the written plans."""
    if not re.fullmatch(r"[A-Za-z0-9_*-]+", pipeline):
        return
    for file in Path("pipelines").glob(f"{pipeline}/plan.yaml"):
        text = file.read_text("utf-8", "replace")
        yield from (name for name in _STEP.findall(text) if name not in _NO_STEPS)


def _slots() -> Iterator[str]:
    from mlspec.registry import SLOTS

    yield from SLOTS


def _kinds(slot: str) -> Iterator[str]:
    """Give the kinds that have a file; the workspace's own by name, without a look inside."""
    from mlspec import plugins

    if slot not in (*_slots(),):
        return
    for folder in (*map(Path, plugins.__path__), Path("plugins")):
        yield from (file.stem for file in (folder / slot).glob("[a-z]*.py"))


def _overrides(last: str) -> Iterator[str]:
    """Give `key=`, or `key=value` where the key takes one of some words."""
    key, sign, _ = last.partition("=")
    for name, words in _keys():
        if not sign:
            yield f"{name}="
        elif name == key:
            yield from (f"{name}={word}" for word in words)
    if sign and re.fullmatch(r"[a-z0-9_]+", key):
        package = Path(__file__).resolve().parents[1]
        for conf in (Path("conf"), package / "conf", package.parent / "conf"):
            yield from (f"{key}={file.stem}" for file in (conf / key).glob("*.yaml"))


def _keys() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give every key of the language with the words it takes, from the schema that editors use."""
    here = Path.cwd()
    file = next((folder / SCHEMA for folder in (here, *here.parents) if (folder / SCHEMA).is_file()), None)
    if file is None:
        return
    try:
        schema = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(schema, dict):
        yield from _below(schema, schema, "", 0)


def _below(node: Any, schema: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    if depth > DEEPEST:
        return
    for option in _options(node, schema):
        for name, value in (option.get("properties") or {}).items():
            if name == "defaults" and not path:
                continue
            key = f"{path}.{name}" if path else name
            yield key, tuple(_enum(value, schema))
            yield from _below(value, schema, key, depth + 1)


def _options(node: Any, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the node itself, or each thing that it may be."""
    if not isinstance(node, dict):
        return
    reference = node.get("$ref")
    if isinstance(reference, str):
        node = {**(schema.get("$defs") or {}).get(reference.rpartition("/")[2], {})}
    yield node
    for option in (*(node.get("anyOf") or ()), *(node.get("oneOf") or ())):
        yield from _options(option, schema)


def _enum(node: Any, schema: dict[str, Any]) -> Iterator[str]:
    for option in _options(node, schema):
        words = [*(option.get("enum") or ()), *([option["const"]] if "const" in option else ())]
        yield from (json.dumps(word) if isinstance(word, bool) else str(word) for word in words)
        if option.get("type") == "boolean":
            yield from ("true", "false")
