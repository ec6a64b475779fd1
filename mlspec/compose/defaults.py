"""`defaults:`, held to a small grammar before Hydra sees it."""

from __future__ import annotations

import re
from typing import Any

from mlspec.compose.document import Document, KeyPath
from mlspec.compose.near import near
from mlspec.compose.preset_files import PresetFiles
from mlspec.errors import Fault

MOST = 100
"""Presets that one file may stand on."""
NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")
_GROUP = re.compile(
    r"(?P<words>((optional|override) "
    ")*)(?P<root>/?)(?P<group>[a-z0-9_]+(/[a-z0-9_]+)*)(@(?P<package>[A-Za-z0-9_.]+))?"
)
_FIX = "write items such as `- hardware: cpu`, `- _self_`"


def check_defaults(document: Document, files: PresetFiles, *, preset: bool) -> tuple[Fault, ...]:
    """Return what is wrong with the `defaults:` of a document.

    Args:
        document: A spec or a preset.
        files: Where presets are looked for; a spec's presets must exist.
        preset: True for a preset, whose names are relative to its own group (and checked by Hydra).
    """
    items = document.tree.get("defaults")
    if items is None:
        return ()
    faults: list[Fault] = []

    def tell(code: str, what: str, path: KeyPath, fix: str = _FIX) -> None:
        mark = document.marks[path]
        faults.append(document.fault(code, what, *mark.value, fix))

    if not isinstance(items, list):
        tell("MS0112", "'defaults' is not a list", ("defaults",))
        return tuple(faults)
    if len(items) > MOST:
        tell("MS0112", f"'defaults' names more than {MOST} presets", ("defaults",), "a few will do")
        return tuple(faults)
    for index, item in enumerate(items):
        path: KeyPath = ("defaults", index)
        if item == "_self_":
            if index != len(items) - 1:
                tell(
                    "MS0112",
                    "'_self_' does not stand last",
                    path,
                    "move it to the end: a file lies above its presets",
                )
        elif isinstance(item, str):
            if not NAME.fullmatch(item.removeprefix("/")):
                tell(
                    "MS0112",
                    f"'{item[:60]}' is no preset's name",
                    path,
                    "small letters, digits, '_' and '/' only",
                )
            elif not preset and files.document(item.removeprefix("/")) is None:
                tell("MS0113", f"there is no preset '{item}'", path, "presets lie in conf/")
        elif isinstance(item, dict) and len(item) == 1:
            _check_choice(item, path, files, preset, tell)
        else:
            tell("MS0112", "this is no choice of a preset", path)
    return tuple(faults)


def _check_choice(item: dict[str, Any], path: KeyPath, files: PresetFiles, preset: bool, tell: Any) -> None:
    key, value = next(iter(item.items()))
    match = _GROUP.fullmatch(key)
    where: KeyPath = (*path, key)
    if match is None:
        tell(
            "MS0112", f"'{key[:60]}' is no group of presets", path, "small letters, digits, '_' and '/' only"
        )
        return
    group = match["group"]
    if group.split("/")[0] == "hydra":
        tell("MS0115", "the section 'hydra' is not part of the language", path, "remove it")
        return
    choices = value if isinstance(value, list) else [value]
    for index, choice in enumerate(choices):
        place: KeyPath = (*where, index) if isinstance(value, list) else where
        if choice is None and not isinstance(value, list):
            continue
        if not isinstance(choice, str) or not NAME.fullmatch(choice):
            tell(
                "MS0112",
                f"'{str(choice)[:60]}' is no preset's name",
                place,
                "small letters, digits, '_' and '/' only",
            )
        elif not preset and "optional" not in match["words"] and files.document(f"{group}/{choice}") is None:
            tell("MS0113", *unknown(group, choice, files)[:1], place, unknown(group, choice, files)[1])


def unknown(group: str, choice: str, files: PresetFiles) -> tuple[str, str]:
    """Return what is wrong with the name of a preset that does not exist, and how to mend it."""
    options = files.options(group)
    if not options:
        groups = files.groups()
        close = near(group, groups)
        fix = f"did you mean '{close}'? " if close else ""
        return f"there are no presets for '{group}'", f"{fix}there are presets for {', '.join(groups)}"
    close = near(choice, options)
    fix = f"did you mean '{close}'? " if close else ""
    return f"there is no preset '{choice}' for '{group}'", f"{fix}there are {', '.join(options)}"
