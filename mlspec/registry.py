"""From the word right of `kind:` to the class in the file of that name."""

from __future__ import annotations

import functools
import re
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from mlspec.errors import MissingError, UsageError

SLOTS = (
    "source", "feature", "split", "rule", "model", "optimizer", "schedule", "metric", "gate",
    "strategy", "launcher", "export", "deployment", "monitor",
)  # fmt: skip
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


def _folders(slot: str) -> tuple[Path, ...]:
    import mlspec.plugins

    return tuple(Path(entry) / slot for entry in mlspec.plugins.__path__)


def kinds(slot: str) -> tuple[str, ...]:
    """Return every kind that fills a slot, sorted: shipped, the workspace's own, and installed ones."""
    found = {
        file.stem
        for folder in _folders(slot)
        if folder.is_dir()
        for file in folder.glob("*.py")
        if KIND.fullmatch(file.stem)
    }
    found.update(entry.name for entry in _installed(slot) if KIND.fullmatch(entry.name))
    return tuple(sorted(found))


@functools.cache
def _installed(slot: str) -> tuple[metadata.EntryPoint, ...]:
    return tuple(metadata.entry_points(group=f"mlspec.{slot}"))


def file(slot: str, kind: str) -> Path | None:
    """Return the file that defines a kind, or None where an installed entry point does."""
    for folder in _folders(slot):
        if (folder / f"{kind}.py").is_file():
            return folder / f"{kind}.py"
    return None


def find(slot: str, kind: str) -> type[Any]:
    """Return the plug-in class of a kind.

    Raises:
        UsageError: no such slot, or no such kind in it.
        MissingError: the plug-in's file holds no class of its name.
    """
    if slot not in SLOTS or not KIND.fullmatch(kind):
        raise UsageError(f"no {slot} is called '{kind}'", fix=f"one of {', '.join(kinds(slot))}")
    if file(slot, kind) is None:
        for entry in _installed(slot):
            if entry.name == kind:
                return entry.load()  # type: ignore[no-any-return]
        raise UsageError(f"no {slot} is called '{kind}'", fix=f"one of {', '.join(kinds(slot))}")
    module = import_module(f"mlspec.plugins.{slot}.{kind}")
    name = "".join(word.capitalize() for word in kind.split("_"))
    found = getattr(module, name, None)
    if not isinstance(found, type):
        raise MissingError(f"the plug-in '{slot}/{kind}.py' defines no class '{name}'", fix=f"name its class {name}")
    return found
