"""Where a key belongs that stands at a level where it has no meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlspec.compose.composed import at
from mlspec.compose.document import KeyPath
from mlspec.spec.dotted import dotted
from mlspec.spec.levels import Home, at_path, homes

MOST = 4
"""Levels that are told."""


def belongs(path: KeyPath, tree: Mapping[str, object], missing: tuple[KeyPath, ...]) -> str | None:
    """Return the mend for a key that the language has elsewhere; None where it has no such key.

    Args:
        path: The key's.
        tree: The composed tree.
        missing: Keys that the spec lacks: where one has this name, the key has only gone astray.
    """
    word, parent = str(path[-1]), path[:-1]
    lacking = [f"under '{dotted(other[:-1])}'" for other in missing if other[-1] == word and len(other) > 1]
    if word == "kind":
        lacking = lacking or [f"under '{dotted(other)}'" for other in _without_kind(tree, (), tree)]
        if not lacking:
            return (
                "'kind' chooses what fills a part of the spec, as under 'model' or 'data.source'; take it out"
            )
    if lacking:
        return f"'{word}' belongs {_listed(lacking)}"
    found = [home for home in homes() if home.key == word]
    if not found:
        return None
    here = [home for home in found if home.kind is not None and _is_level(home.parent, parent)]
    value = at(tree, parent)
    if here and isinstance(value, Mapping) and "kind" not in value:
        return f"add kind: {' or '.join(str(home.kind) for home in here)}, whose option '{word}' is"
    kinds: dict[str, list[str]] = {}
    for home in _nearest_level(found, parent):
        kinds.setdefault(home.parent, []).extend([home.kind] if home.kind else [])
    return f"'{word}' belongs {_listed([_told(level, names) for level, names in kinds.items()])}"


def _listed(places: list[str]) -> str:
    return " or ".join(dict.fromkeys(places[:MOST]))


def _told(level: str, kinds: list[str]) -> str:
    where = f"under '{level}'" if level else "at the top"
    return f"{where} (kind: {', '.join(kinds)})" if kinds else where


def _without_kind(value: object, path: KeyPath, tree: Mapping[str, object]) -> Iterator[KeyPath]:
    """Give each part of a spec that a plug-in fills, and that names none."""
    if isinstance(value, Mapping):
        if path and "kind" not in value and any(level.slot for level in at_path(path, tree)):
            yield path
        for key, item in value.items():
            yield from _without_kind(item, (*path, key), tree)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _without_kind(item, (*path, index), tree)


def _is_level(level: str, path: KeyPath) -> bool:
    steps = level.replace("[]", ".[]").split(".")
    if len(steps) != len(path):
        return False
    return all(
        one == "*" or (one == "[]" and isinstance(two, int)) or one == two
        for one, two in zip(steps, path, strict=True)
    )


def _nearest_level(found: list[Home], parent: KeyPath) -> list[Home]:
    """Put homes that share the most of the user's own path first."""
    steps = [str(step) for step in parent]

    def shared(home: Home) -> int:
        count = 0
        for one, other in zip(home.parent.split("."), steps, strict=False):
            if one not in (other, "*"):
                break
            count += 1
        return -count

    return sorted(found, key=shared)
