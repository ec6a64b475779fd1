"""From pydantic's errors to faults with places, in the user's words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.near import near
from mlspec.compose.reader import MOST_FAULTS
from mlspec.errors import Fault
from mlspec.spec.belongs import belongs
from mlspec.spec.dotted import dotted as dotted
from mlspec.spec.expected import expected, says_expected
from mlspec.spec.known_as import known_as
from mlspec.spec.later import later_key, later_kind
from mlspec.spec.levels import Level, homes, keys_at, plugin
from mlspec.spec.renamed import renamed
from mlspec.spec.secrets import is_secret, written_out


@dataclass(frozen=True)
class Error:
    """One of pydantic's errors, at a path of the tree."""

    path: KeyPath
    told: Mapping[str, Any]
    tagged: bool
    """True where it came from one branch of several that a value may take."""
    key: bool = False
    """True where the key is wrong, not its value."""

    @property
    def sort(self) -> str:
        """Name that pydantic has for it."""
        return str(self.told["type"])


def errors(error: ValidationError, tree: Any) -> tuple[Error, ...]:
    """Return pydantic's errors with their paths in the tree, without those that only echo deeper ones."""
    found = []
    for told in error.errors(include_url=False, include_input=False):
        found.append(_locate(told, tree))
    deeper = {item.path[:size] for item in found for size in range(len(item.path))}
    return tuple(item for item in found if not (item.tagged and item.path in deeper))


def _locate(told: Any, tree: Any) -> Error:
    path: list[str | int] = []
    node, tagged, key = tree, False, False
    words = list(told["loc"])
    last = words.pop() if told["type"] == "missing" and words else None
    for word in words:
        listed = isinstance(node, list | tuple) and isinstance(word, int) and word < len(node)
        if listed or (isinstance(node, Mapping) and word in node):
            node = node[word]
            path.append(word)
        elif word == "[key]":
            key = True
        else:
            tagged = True
    if last is not None:
        path.append(last)
    return Error(tuple(path), told, tagged, key)


def faults(error: ValidationError, composed: Composed) -> list[Fault]:
    """Return each error as a fault: place, what was expected, and the nearest right word or level."""
    tree = composed.tree
    groups: dict[tuple[KeyPath, bool], list[Error]] = {}
    for item in errors(error, tree):
        groups.setdefault((item.path, item.key), []).append(item)
    unknown = {path for (path, _), items in groups.items() if items[0].sort == "extra_forbidden"}
    missing = tuple(_lacking(path, items[0].sort) for (path, _), items in groups.items())
    told = []
    for (path, _), items in itertools.islice(groups.items(), MOST_FAULTS):
        first = items[0]
        if first.sort == "extra_forbidden":
            told.append(_unknown_key(path, composed, tuple(filter(None, missing))))
        elif first.sort == "missing":
            if not _is_misspelt(path, unknown):
                told.append(_missing(path, composed))
        elif first.sort in ("kind_unknown", "kind_missing"):
            told.append(_kind(first, composed))
        else:
            told.append(_value(path, items, composed))
    if len(groups) > MOST_FAULTS:
        what = f"there are {len(groups)} faults; {MOST_FAULTS} of them are told"
        told.append(composed.fault("MS0120", what, (), fix="mend these first"))
    return told


def _lacking(path: KeyPath, sort: str) -> KeyPath:
    """Return the key that an error misses; the empty path where it misses none."""
    return path if sort == "missing" else (*path, "kind") if sort == "kind_missing" else ()


def _under(path: KeyPath) -> str:
    return f" under '{dotted(path)}'" if path else ""


def _unknown_key(path: KeyPath, composed: Composed, missing: tuple[KeyPath, ...]) -> Fault:
    word, parent = str(path[-1]), path[:-1]
    if later_key(path):
        fix = "take it out for now; this version's keys are in `mlspec schema`"
        return composed.fault("MS0207", f"'{dotted(path)}' is not available yet", path, key=True, fix=fix)
    new = renamed(path, composed.tree)
    if new is not None:
        both = new in _keys(composed.tree, parent)
        fix = f"remove '{word}'" if both else "`mlspec migrate --write` renames it"
        what = f"'{dotted(path)}' is called '{new}' today" + (", and both stand here" if both else "")
        return composed.fault("MS0208", what, path, key=True, fix=fix)
    what = f"unknown key '{word}'{_under(parent)}"
    if word == "_target_":
        fix = "a spec names no Python code: choose a plug-in with kind:"
        return composed.fault("MS0201", what, path, key=True, fix=fix)
    here = keys_at(parent, composed.tree)
    present = _keys(composed.tree, parent)
    meant = known_as(path, composed.tree)
    if meant is not None:
        return composed.fault("MS0201", what, path, key=True, fix=meant)
    close = near(word, [key for key in here if key not in present], furthest=0.34)
    if close is not None:
        return composed.fault("MS0201", what, path, key=True, fix=f"did you mean '{close}'?")
    level = belongs(path, composed.tree, missing)
    if level is not None:
        return composed.fault("MS0202", what, path, key=True, fix=level)
    close = near(word, [key for key in here if key not in present], furthest=0.5)
    if close is not None:
        return composed.fault("MS0201", what, path, key=True, fix=f"did you mean '{close}'?")
    mend = _elsewhere(word, here, present) or _listed(here)
    return composed.fault("MS0201", what, path, key=True, fix=mend)


def _elsewhere(word: str, here: tuple[str, ...], present: set[str]) -> str | None:
    """Return what to do about a word that is near to a key already set, or to one of another level."""
    twin = near(word, [key for key in here if key in present and key != word], furthest=0.34)
    if twin is not None:
        return f"'{twin}' stands here already; remove one of the two"
    elsewhere = near(word, [home.key for home in homes()], furthest=0.34)
    if elsewhere is None:
        return None
    home = next(home for home in homes() if home.key == elsewhere)
    return f"did you mean '{home.path}'{f' (kind: {home.kind})' if home.kind else ''}?"


def _listed(keys: tuple[str, ...]) -> str | None:
    return f"the keys here are {', '.join(keys)}" if keys else None


def _keys(tree: Any, path: KeyPath) -> set[str]:
    from mlspec.compose.composed import at

    value = at(tree, path)
    return {str(key) for key in value} if isinstance(value, Mapping) else set()


def _is_misspelt(path: KeyPath, unknown: set[KeyPath]) -> bool:
    # A section with thousands of unknown keys is no section with one slip of the pen.
    beside = (str(other[-1]) for other in unknown if other[:-1] == path[:-1])
    words = itertools.islice(beside, MOST_FAULTS)
    return any(near(word, [str(path[-1])], furthest=0.5) for word in words)


def _missing(path: KeyPath, composed: Composed) -> Fault:
    from mlspec import registry
    from mlspec.spec.levels import at_path

    empty = str(path[-1]) in _keys(composed.tree, path[:-1])
    what = f"'{dotted(path)}' is empty" if empty else f"'{path[-1]}' is missing{_under(path[:-1])}"
    fix = f"add {path[-1]}: ..."
    for level in at_path(path, composed.tree):
        if level.slot:
            fix = f"add {path[-1]}: {{kind: ...}}, one of {', '.join(registry.kinds(level.slot))}"
        elif level.words:
            fix = f"add {path[-1]}: {' or '.join(level.words)}"
    return composed.fault("MS0203", what, path if empty else path[:-1], key=True, fix=fix)


def _kind(error: Error, composed: Composed) -> Fault:
    from mlspec import registry
    from mlspec.compose.composed import at

    told, path = error.told["ctx"], error.path
    slot = told["slot"]
    kinds = registry.kinds(slot)
    if error.sort == "kind_missing":
        present = _keys(composed.tree, path)
        options = {kind: _options(slot, kind) for kind in kinds}
        known = set().union(*options.values())
        twin = near("kind", [key for key in present - known if len(key) < 7], furthest=0.5)
        if twin is not None:
            what = f"unknown key '{twin}'{_under(path)}"
            return composed.fault("MS0201", what, (*path, twin), key=True, fix="did you mean 'kind'?")
        fitting = [kind for kind in kinds if present <= options[kind]] or kinds
        fix = f"add kind: {' or '.join(fitting)}" if len(fitting) < 4 else f"one of {', '.join(fitting)}"
        return composed.fault("MS0206", f"'kind' is missing{_under(path)}", path, fix=fix)
    kind = told["kind"]
    place = (*path, "kind") if isinstance(at(composed.tree, path), Mapping) else path
    if later_kind(slot, kind):
        return composed.fault(
            "MS0207", f"the {slot} '{kind}' is not available yet", place, fix=f"there are {', '.join(kinds)}"
        )
    close = near(kind, kinds)
    fix = (f"did you mean '{close}'? " if close else "") + f"there are {', '.join(kinds)}"
    return composed.fault("MS0205", f"no {slot} is called '{_shown(kind).strip(chr(39))}'", place, fix=fix)


def _options(slot: str, kind: str) -> set[str]:
    """Return the keys that a kind takes; none where it cannot be loaded here."""
    found = plugin(Level(slot=slot), kind)
    return set(found.model_fields) if found is not None else set()


def _value(path: KeyPath, items: list[Error], composed: Composed) -> Fault:
    from mlspec.compose.composed import at

    value = at(composed.tree, path)
    if is_secret(path, composed.tree):
        return written_out(path, composed)
    if items[0].key:
        wanted = " or ".join(dict.fromkeys(expected(item.told) for item in items))
        return composed.fault(
            "MS0204",
            f"the name '{path[-1]}'{_under(path[:-1])} is not legal",
            path,
            key=True,
            fix=f"expected {wanted}",
        )
    bounds = [item for item in items if item.sort not in ("none_required",)]
    wanted = " or ".join(dict.fromkeys(expected(item.told) for item in bounds))
    what = f"'{dotted(path)}' is {_shown(value)}, expected {wanted}{_covered(path, composed)}"
    if bounds[0].sort == "value_error" and (isinstance(value, Mapping) or not says_expected(bounds[0].told)):
        # The whole of a section contradicts itself, or the check has a sentence of its own.
        what = f"'{dotted(path)}': {'expected ' if says_expected(bounds[0].told) else ''}{wanted}"
    if not path:
        what = f"expected {wanted}"
    return composed.fault("MS0204", what, path, fix=_mend(value, bounds))


def _covered(path: KeyPath, composed: Composed) -> str:
    """Return which value of a lower layer the wrong one covers."""
    origins = [origin for origin in composed.origins(path) if not isinstance(origin.value, Mapping | list)]
    if len(origins) < 2 or origins[-2].removed:
        return ""
    return f" (over {_shown(origins[-2].value)} of {origins[-2].place})"


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"'{value if len(value) <= 60 else value[:57] + '...'}'"
    return str(value)


def _mend(value: Any, items: list[Error]) -> str | None:
    sorts = {item.sort for item in items}
    if isinstance(value, str):
        words = [
            word
            for item in items
            if item.sort == "literal_error"
            for word in _words(str(item.told["ctx"]["expected"]))
        ]
        close = near(value, words, furthest=0.5)
        if close is not None:
            return f"did you mean '{close}'?"
        if sorts & {"int_type", "float_type", "int_parsing", "float_parsing"} and _is_number(value):
            return f"write it without quotes: {value}"
        if sorts & {"tuple_type", "list_type"}:
            return f"write [{value}]"
    if "string_type" in sorts and isinstance(value, int | float):
        return f"put it into quotes: '{_shown(value)}'"
    if "int_type" in sorts and isinstance(value, float) and value == int(value):
        return f"write {int(value)}"
    if sorts & {"tuple_type", "list_type"} and not isinstance(value, Mapping | list | tuple | None):
        return f"write [{_shown(value)}]"
    return None


def _words(text: str) -> list[str]:
    return text.split("'")[1::2]


def _is_number(text: str) -> bool:
    from mlspec.compose.scalar import scalar

    try:
        return isinstance(scalar(text), int | float)
    except OverflowError:
        return False
