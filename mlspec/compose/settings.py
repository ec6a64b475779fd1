"""Overrides of the command line, in Hydra's grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlspec.compose.document import Document, KeyPath, Mark
from mlspec.compose.layer import Layer
from mlspec.compose.preset_files import PresetFiles
from mlspec.errors import Fault
from mlspec.registry import SLOTS

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


@dataclass(frozen=True)
class Settings:
    """Overrides, sorted by what they do."""

    choices: tuple[Override, ...]
    """Presets that are chosen or dropped."""
    layers: tuple[Layer, ...]
    """Values that are set or taken away, in the order of the command line."""
    faults: tuple[Fault, ...]


def settings(texts: Sequence[str], files: PresetFiles) -> Settings:
    """Return what overrides say; `+` and `++` are legal and never needed.

    A key that names a group of presets and a text (or a list of texts) choose presets; everything else
    sets a value.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    choices: list[Override] = []
    layers: list[Layer] = []
    faults: list[Fault] = []
    parser = OverridesParser.create()
    for text in texts:
        document = Document(text, text)
        try:
            override = parser.parse_overrides([text])[0]
        except (HydraException, ValueError, RecursionError) as error:
            faults.append(_grammar(document, error))
            continue
        fault = _refusal(document, override)
        if fault is not None:
            faults.append(fault)
        elif _is_choice(override, files):
            fault = _check_choice(document, override, files)
            if fault is not None:
                faults.append(fault)
            else:
                choices.append(override)
        else:
            layers.append(_layer(text, override))
    return Settings(tuple(choices), tuple(layers), tuple(faults))


def _is_choice(override: Override, files: PresetFiles) -> bool:
    if (
        not files.is_group(override.key_or_group)
        and "/" not in override.key_or_group
        and override.package is None
    ):
        return False
    value = override.value()
    if override.is_delete():
        return value is None or isinstance(value, str)
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def _check_choice(document: Document, override: Override, files: PresetFiles) -> Fault | None:
    from mlspec.compose.defaults import NAME, unknown

    group, value = override.key_or_group, override.value()
    column = document.text.find("=") + 2
    if not files.is_group(group):
        what, fix = unknown(group, "", files)
        return document.fault("MS0113", what, 1, 1, fix)
    if override.is_delete():
        return None
    for choice in value if isinstance(value, list) else [value]:
        if not NAME.fullmatch(choice):
            return document.fault(
                "MS0112",
                f"'{choice[:60]}' is no preset's name",
                1,
                column,
                "small letters, digits, '_' and '/' only",
            )
        if files.document(f"{group}/{choice}") is None:
            what, fix = unknown(group, choice, files)
            more = f"; for a kind without a preset: {group}.kind={choice}" if group in SLOTS else ""
            return document.fault("MS0113", what, 1, column, fix + more)
    return None


def _refusal(document: Document, override: Override) -> Fault | None:
    root = override.key_or_group.replace("/", ".").split(".")[0]
    column = document.text.find("=") + 2
    if root == "hydra":
        return document.fault(
            "MS0115", "the section 'hydra' is not part of the language", 1, 1, "leave it out"
        )
    if root == "defaults":
        return document.fault(
            "MS0115", "'defaults' cannot be overridden", 1, 1, "choose a preset with `group=preset`"
        )
    if override.is_sweep_override():
        return document.fault(
            "MS0111", "this asks for several runs at once", 1, column, "for a list write key=[1,2]"
        )
    if override.is_delete():
        return None
    if _endless(override.value()):
        return document.fault(
            "MS0110",
            "this holds a number that is not finite",
            1,
            column,
            "write a number that fits, or put text into quotes",
        )
    return None


def _endless(value: Any) -> bool:
    if isinstance(value, float):
        return value != value or value in (float("inf"), float("-inf"))
    if isinstance(value, list):
        return any(_endless(item) for item in value)
    return isinstance(value, dict) and any(_endless(item) for item in value.values())


def _grammar(document: Document, error: Exception) -> Fault:
    text = document.text
    if "=" not in text and not text.startswith("~"):
        return document.fault(
            "MS0111", f"'{text[:60]}' sets nothing", 1, 1, "write key=value, such as training.epochs=3"
        )
    lines = str(error).splitlines()
    carets = [line for line in lines if line.strip() == "^"]
    column = (
        carets[0].index("^") + 1 - (len("LexerNoViableAltException: ") if "Lexer" in lines[0] else 0)
        if carets
        else 0
    )
    if not 1 <= column <= len(text):
        column = text.find("=") + 2
    fix = "put a value with blanks, commas, = or : into quotes inside the shell's, such as key='\"a=b\"'"
    if "=" in text and column <= text.find("="):
        fix = "a key has letters a to z, digits, '_' and dots here; other names are set in a file, with -c"
    return document.fault(
        "MS0111", "this is not in the grammar of overrides", 1, min(column, len(text) + 1), fix
    )


def _layer(text: str, override: Override) -> Layer:
    path: KeyPath = tuple(int(step) if step.isdigit() else step for step in override.key_or_group.split("."))
    if override.is_delete():
        return Layer(Document(text, text), removes=path)
    value = _plain(override.value())
    start = text.find("=") + 2
    tree: Any = value
    marks: dict[KeyPath, Mark] = {}
    for depth in range(len(path), 0, -1):
        tree = {path[depth - 1]: tree}
        marks[path[:depth]] = Mark((1, 1), (1, start))
    _mark_inside(value, path, text, start, marks)
    return Layer(Document(text, text, tree, marks), put=path)


def _mark_inside(value: Any, path: KeyPath, text: str, start: int, marks: dict[KeyPath, Mark]) -> None:
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        found = text.find(str(key) if isinstance(key, str) else str(item), start - 1)
        column = found + 1 if found >= 0 else start
        marks[(*path, key)] = Mark((1, column), (1, column))
        _mark_inside(item, (*path, key), text, column, marks)


def _plain(value: Any) -> Any:
    """Return a value of the grammar as the reader would give it: keys are text."""
    if isinstance(value, dict):
        return {_word(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _word(key: Any) -> str:
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key)
