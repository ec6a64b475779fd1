"""One pass over a YAML text: values, places, and every fault that does not stop the parser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from mlspec.compose.document import BREAK, Document, KeyPath, Mark
from mlspec.compose.scalar import scalar
from mlspec.errors import Fault

LARGEST = 1_000_000
"""Characters a spec may have."""
DEEPEST = 32
"""Mappings and lists inside one another."""
MOST_VALUES = 50_000
"""Keys, words, mappings and lists that a spec may have."""
MOST_FAULTS = 100
"""Faults that are told at once."""
MERGE = re.compile("<{7}( |$)")
"""How git begins what both sides of a merge say."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Frame:
    """A mapping or list that is still open."""

    __slots__ = ("key", "path", "seen", "value")

    def __init__(self, value: dict[str, Any] | list[Any], path: KeyPath) -> None:
        self.value, self.path = value, path
        self.key: tuple[str | None, tuple[int, int]] | None = None
        self.seen: dict[str, tuple[int, int]] = {}


class _Stop(Exception):
    """The text cannot be read any further; the fault is already kept."""


class _Reading:
    """The events of one text, taken one by one."""

    def __init__(self, name: str, text: str) -> None:
        self.document = Document(name, text)
        self.faults: list[Fault] = []
        self.marks: dict[KeyPath, Mark] = {}
        self.open: list[_Frame] = []
        self.tree: Any = None
        self.documents = self.values = 0
        self.skip = 0

    def fault(self, code: str, what: str, at: tuple[int, int], fix: str | None = None) -> None:
        if len(self.faults) >= MOST_FAULTS:
            told = f"there are more than {MOST_FAULTS} faults; the text from here on was not read"
            self.faults.append(self.document.fault("MS0120", told, *at, "mend those above first"))
            raise _Stop
        self.faults.append(self.document.fault(code, what, *at, fix))

    def count(self, at: tuple[int, int]) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            what = f"the file has more than {MOST_VALUES:,} keys and values"
            self.fault("MS0108", what, at, "name fewer columns, or use features: auto")
            raise _Stop

    def take(self, event: Any) -> None:
        name = type(event).__name__
        at = (event.start_mark.line + 1, event.start_mark.column + 1)
        if name in ("MappingEndEvent", "SequenceEndEvent"):
            self.end()
        elif name == "ScalarEvent":
            self.count(at)
            self.properties(event, at)
            self.scalar(event, at)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            self.count(at)
            self.properties(event, at)
            self.start({} if name == "MappingStartEvent" else [], at)
        elif name == "AliasEvent":
            self.fault(
                "MS0105",
                f"the alias '*{event.anchor}' is not part of the language",
                at,
                "write the value out, or refer to a value with ${path.to.key}",
            )
            if self.wants_key():
                self.open[-1].key = (None, at)
            else:
                self.put(None, at)
        elif name == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self.fault(
                    "MS0107",
                    "a second document starts here ('---')",
                    at,
                    "keep one document a file; lay files on top of each other with -c",
                )
                raise _Stop

    def wants_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None

    def properties(self, event: Any, at: tuple[int, int]) -> None:
        if event.anchor is not None:
            self.fault(
                "MS0105",
                f"the anchor '&{event.anchor}' is not part of the language",
                at,
                "use a preset, or refer to a value with ${path.to.key}",
            )
        if event.tag is not None and event.tag != "!":
            word = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.fault(
                "MS0106",
                f"the tag '{word}' is not part of the language",
                at,
                "leave it out; put text into quotes",
            )

    def start(self, value: dict[str, Any] | list[Any], at: tuple[int, int]) -> None:
        if len(self.open) >= DEEPEST:
            self.fault(
                "MS0108",
                f"more than {DEEPEST} levels inside one another",
                at,
                "no key of a spec lies that deep",
            )
            raise _Stop
        if self.wants_key():
            self.fault("MS0109", "a mapping or a list cannot be a key", at, "keys are text")
            self.skip += 1
            self.open.append(_Frame(value, ("?",)))
            return
        self.open.append(_Frame(value, self.put(value, at)))

    def end(self) -> None:
        frame = self.open.pop()
        if self.skip and frame.path == ("?",):
            self.skip -= 1
            self.open[-1].key = (None, (0, 0))

    def scalar(self, event: Any, at: tuple[int, int]) -> None:
        if self.wants_key():
            self.key(event, at)
            return
        value: Any = event.value
        if not event.style and event.implicit[0]:
            try:
                value = scalar(event.value)
            except OverflowError:
                self.fault(
                    "MS0110",
                    f"'{_short(event.value)}' is not a finite number",
                    at,
                    "write a number that fits, or put text into quotes",
                )
                value = None
        self.put(value, at)

    def key(self, event: Any, at: tuple[int, int]) -> None:
        frame, word = self.open[-1], event.value
        if not event.style and word == "<<":
            self.fault(
                "MS0105",
                "the merge key '<<' is not part of the language",
                at,
                "use a preset in defaults:, or lay a file on top with -c",
            )
        elif not event.style and word in ("", "~", "null", "Null", "NULL"):
            self.fault("MS0109", "a key is missing before ':'", at, "keys are text")
        elif word in frame.seen:
            line, column = frame.seen[word]
            self.fault(
                "MS0104",
                f"the key '{_short(word)}' stands here a second time",
                at,
                f"keep one; the first is at {line}:{column}",
            )
        merges = not event.style and word == "<<"
        frame.seen.setdefault(word, at)
        frame.key = (None if merges else word, at)

    def put(self, value: Any, at: tuple[int, int]) -> KeyPath:
        """Hang a value below what is open, and return its path."""
        if not self.open:
            self.tree = value
            self.marks[()] = Mark(at, at)
            return ()
        frame = self.open[-1]
        if isinstance(frame.value, list):
            path = (*frame.path, len(frame.value))
            frame.value.append(value)
            self.marks[path] = Mark(at, at)
            return path
        assert frame.key is not None
        (word, where), frame.key = frame.key, None
        path = (*frame.path, word or "")
        if word is not None and word not in frame.value:
            frame.value[word] = value
            self.marks[path] = Mark(where, at)
        return path


def read(name: str, text: str, file: Path | None = None) -> tuple[Document, tuple[Fault, ...]]:
    """Return a text as data with places, and everything in it that the language refuses.

    Args:
        name: The file as the user named it.
        text: Its content.
        file: Where it was read from.
    """
    reading = _Reading(name, text)
    if len(text) > LARGEST:
        reading.fault(
            "MS0108",
            f"the file has {len(text):,} characters, and a spec may have {LARGEST:,}",
            (1, 1),
            "data belongs into a data file",
        )
        return Document(name, text, file=file), tuple(reading.faults)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            reading.take(event)
    except _Stop:
        pass
    except yaml.YAMLError as error:
        reading.faults.append(_syntax(reading.document, error))
    tree = reading.tree
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        if not reading.faults:
            reading.fault(
                "MS0109", "the file holds no mapping at its top", (1, 1), "start with apiVersion: mlspec/v1"
            )
        tree = {}
    return Document(name, text, tree, reading.marks, file), tuple(reading.faults)


def _short(word: str) -> str:
    return word if len(word) <= 60 else word[:57] + "..."


def _syntax(document: Document, error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = getattr(error, "position", None)
        character = getattr(error, "character", None)
        before = BREAK.split(document.text[:position]) if isinstance(position, int) else [""]
        what = (
            f"the character {character!r} cannot stand in YAML"
            if character is not None
            else "this is not YAML"
        )
        return document.fault("MS0103", what, len(before), len(before[-1]) + 1, "remove it")
    lines = BREAK.split(document.text)
    merge = next((place for place, line in enumerate(lines) if MERGE.match(line)), None)
    if merge is not None:
        return document.fault(
            "MS0103",
            "a merge left both sides in this file",
            merge + 1,
            1,
            "keep one side of each, and no marks",
        )
    number = min(mark.line, len(lines) - 1)
    line, column = lines[number], mark.column
    if "\t" in line[: column + 1] and not line[: column + 1].replace("\t", " ").strip(" -"):
        return document.fault(
            "MS0103", "a tab indents this line", number + 1, line.index("\t") + 1, "indent with blanks"
        )
    problem = str(getattr(error, "problem", None) or "this is not YAML")
    context = getattr(error, "context", None)
    start = getattr(error, "context_mark", None)
    what = f"this is not YAML: {problem}"
    if context and start is not None:
        what += f" ({context}, which starts at {start.line + 1}:{start.column + 1})"
    fix = None
    if "mapping values are not allowed" in problem:
        fix = "put text with ': ' into quotes, or check the indentation"
    elif "cannot start any token" in problem:
        fix = "put the text into quotes"
    elif "expected ',' or" in problem or "flow" in str(context):
        fix = "close the bracket, or put the text into quotes"
    elif "block" in str(context):
        fix = "check the indentation"
    return document.fault("MS0103", what, number + 1, min(column, len(line)) + 1, fix)
