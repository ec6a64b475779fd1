"""Faults made by a rule: each key of the language deleted, misspelt, moved and retyped.

Good specs are the full one, the examples, and one for each kind with every option written out. Each fault
must end with exit code 2 at the right line, with a mend that names what was there. Places are those of PyYAML
alone, and whether a value of another type is wrong is asked of the JSON schema.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mlspec.errors import Fault, MlspecError, Place, SpecError
from mlspec.spec.dotted import dotted
from mlspec.spec.later import later_key
from mlspec.spec.load import load
from mlspec.spec.schema import schema
from tests.spec.fault_trees import SPOTS, At, Tree, trees

USERS_OWN = {
    ("data", "features"),
    ("exports",),
    ("deployments",),
    ("monitoring", "monitors"),
    ("monitoring", "drift", "methods"),
    ("sweep", "parameters"),
}
"""Mappings whose keys are the user's names."""
RETYPES: tuple[Any, ...] = ({"zz": 1}, [["zz"]], "zzzzzzzz", 7.25, True)
ELSEWHERE: tuple[At, ...] = (
    (), ("data",), ("data", "target"), ("model",), ("training",), ("hardware",), ("evaluation",),
    ("exports", "main"), ("monitoring",),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One spoilt spec and what must be told of it."""

    name: str
    tree: Tree
    at: At
    """Where the fault is."""
    words: tuple[str, ...]
    """One of them must be in what is told there."""
    anywhere: bool = False
    """True where the fault may be told at any line below that place."""


def _get(tree: Any, path: At) -> Any:
    for step in path:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return None
    return tree


def _keys(tree: Any, path: At = ()) -> Iterator[At]:
    """Give the path of each key of the language."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key.startswith("x-") or (*path, key) == ("defaults",):
                continue
            if path not in USERS_OWN:
                yield (*path, key)
            yield from _keys(value, (*path, key))
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _keys(item, (*path, index))


def _slips(word: str, chance: random.Random) -> list[str]:
    """Return a word with a dropped letter, and with two letters swapped or one doubled."""
    place = chance.randrange(1, len(word)) if len(word) > 2 else 0
    found = [word[:place] + word[place + 1 :]]
    swapped = word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :] if place else word
    found.append(swapped if swapped != word else word[: place + 1] + word[place:])
    return [slip for slip in dict.fromkeys(found) if slip and slip != word]


def _spoilt(tree: Tree, path: At, change: Any) -> Tree:
    found = copy.deepcopy(tree)
    change(_get(found, path[:-1]), path[-1])
    return found


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def _is_right(tree: Tree) -> bool:
    return bool(_validator().is_valid(tree))


def _deletions(name: str, tree: Tree, path: At) -> Iterator[Case]:
    spoilt = _spoilt(tree, path, lambda parent, key: parent.pop(key))
    if not _is_right({key: value for key, value in spoilt.items() if key != "defaults"}):
        yield Case(f"{name}: without {path}", spoilt, path[:-1], (str(path[-1]),), anywhere=True)


def _misspellings(name: str, tree: Tree, path: At, chance: random.Random) -> Iterator[Case]:
    for slip in _slips(str(path[-1]), chance):
        if slip in _get(tree, path[:-1]) or _is_right(_renamed(tree, path, slip)):
            continue
        yield Case(
            f"{name}: {path} as {slip}",
            _renamed(tree, path, slip),
            (*path[:-1], slip),
            (f"'{path[-1]}'", f".{path[-1]}'"),
        )


def _renamed(tree: Tree, path: At, slip: str) -> Tree:
    def change(parent: Any, key: Any) -> None:
        items = [(slip if word == key else word, value) for word, value in parent.items()]
        parent.clear()
        parent.update(items)

    return _spoilt(tree, path, change)


def _moves(name: str, tree: Tree, path: At, chance: random.Random) -> Iterator[Case]:
    key = str(path[-1])
    targets = [
        place for place in (*ELSEWHERE, path[:-2]) if place != path[:-1] and place[: len(path)] != path
    ]
    for place in chance.sample(list(dict.fromkeys(targets)), 3):
        there = _get(tree, place)
        if not isinstance(there, dict) or place in USERS_OWN or key in there:
            continue
        spoilt = copy.deepcopy(tree)
        value = _get(spoilt, path[:-1]).pop(key)
        moved = copy.deepcopy(tree)
        for other in (spoilt, moved):
            _get(other, place)[key] = value
        if _is_right(moved) or later_key((*place, key)):  # the key has a meaning there as well
            continue
        yield Case(f"{name}: {path} to {place}", spoilt, (*place, key), _levels(path))


def _levels(path: At) -> tuple[str, ...]:
    """Return how the level of a key may be told: with the user's own names, or with `*` for them."""
    parent = path[:-1]
    if not parent:
        return ("at the top",)
    if path[-1] == "kind":
        return (f"'{dotted(parent)}'", "'kind' chooses")
    return (f"'{dotted(parent)}'", f"'{_starred(parent)}'")


def _starred(parent: At) -> str:
    text = ""
    for depth, step in enumerate(parent):
        if isinstance(step, int):
            text += "[]"
        else:
            word = "*" if parent[:depth] in USERS_OWN else step
            text += f".{word}" if text else word
    return text


def _retypes(name: str, tree: Tree, path: At) -> Iterator[Case]:
    old = _get(tree, path)
    for value in RETYPES:
        spoilt = _spoilt(tree, path, lambda parent, key, value=value: parent.__setitem__(key, value))
        if type(value) is type(old) or _is_right(spoilt):
            continue
        if path == ("data", "target", "positive") and value is True:  # read as the text `true`
            continue
        yield Case(f"{name}: {path} as {value}", spoilt, path, _wanted(path, old))


def _wanted(path: At, old: Any) -> tuple[str, ...]:
    """Return words that say what was right: its type, a limit, or the very value that stood there."""
    if path[-1] == "kind" or path == ("data", "features"):
        return ("there are", "one of", f"'{old}'", "a feature", "'auto'")
    if _is_slot(path):
        return ("there are", "one of", "add kind", "its kind")
    if old is None:
        return ("text", "a list", "number", "a mapping", "true or false", "less than")
    if isinstance(old, bool):
        return ("true or false",)
    if isinstance(old, int | float):
        return ("number", "at least", "at most", "more than", "less than", f"expected {old}")
    if isinstance(old, str):
        return ("text", f"'{old}'", "duration", "letters", "time zone", "a number")
    if isinstance(old, dict):
        return ("a mapping", "the keys here")
    return ("a list", "'auto'", "a mapping")


def _is_slot(path: At) -> bool:
    spots = [*SPOTS.values(), ("training", "early_stopping", "metric")]
    generic = tuple(0 if isinstance(step, int) else step for step in path)
    return generic in spots or (path[:2] == ("data", "features") and len(path) == 3)


def _cases(step: int) -> Iterator[tuple[str, Case]]:
    chance, number = random.Random(11), 0
    for name, tree, spot in trees():
        for path in _keys(tree):
            if path[: len(spot)] != spot or path == spot:
                continue
            number += 1
            if number % step:
                continue
            for case in _deletions(name, tree, path):
                yield "delete", case
            for case in _misspellings(name, tree, path, chance):
                yield "misspell", case
            for case in _moves(name, tree, path, chance):
                yield "move", case
            for case in _retypes(name, tree, path):
                yield "retype", case


def _lines(text: str, path: At, *, whole: bool) -> tuple[int, int]:
    """Return the lines from a key to the start of its value, or to its end, by PyYAML's composer."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    first = 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            key, node = next((key, value) for key, value in node.value if key.value == step)
            first = key.start_mark.line + 1
        else:
            assert isinstance(step, int)
            node = node.value[step]
            first = node.start_mark.line + 1
    return first, (node.end_mark if whole else node.start_mark).line + 1


def _told(case: Case) -> tuple[bool, bool, str]:
    """Return whether the fault is told at its line, whether the mend is right, and all that is told."""
    text = yaml.safe_dump(case.tree, sort_keys=False, allow_unicode=True)
    Path("spec.yaml").write_text(text, "utf-8")
    try:
        load(Path("spec.yaml"), data=False)
    except SpecError as error:
        assert error.exit_code == 2
        first, last = _lines(text, case.at, whole=case.anywhere)
        here = [fault for fault in error.faults if _is_at(fault, first, last)]
        good = any(any(word in f"{fault.what} {fault.fix}" for word in case.words) for fault in here)
        told = "; ".join(f"{fault.where}: {fault.what} [{fault.fix}]" for fault in error.faults)
        return bool(here), good, f"{case.name} (line {first}): {told}"
    except MlspecError as error:
        return False, False, f"{case.name}: {error!r}"
    return False, False, f"{case.name}: no fault"


def _is_at(fault: Fault, first: int, last: int) -> bool:
    return isinstance(fault.where, Place) and first <= fault.where.line <= last


def test_the_specs_that_are_spoilt_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = []
    for name, tree, _ in trees():
        Path("spec.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), "utf-8")
        load(Path("spec.yaml"), data=False)
        assert _is_right(tree), name
        names.append(name)
    assert len(names) >= 30
    assert {name.split()[0] for name in names} >= set(SPOTS)


@pytest.mark.parametrize(
    "step", [pytest.param(9, id="each ninth key"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_every_key_spoilt_is_told_at_its_line_with_its_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.chdir(tmp_path)
    count: dict[str, list[int]] = {}
    lost: list[str] = []
    for sort, case in _cases(step):
        placed, mended, told = _told(case)
        tally = count.setdefault(sort, [0, 0, 0])
        for index, hit in enumerate((True, placed, mended)):
            tally[index] += hit
        if not (placed and mended):
            lost.append(f"{sort}: {'wrong mend' if placed else 'WRONG LINE'}: {told}")
    print("\n".join(lost))
    for sort, (tried, placed, mended) in sorted(count.items()):
        print(f"{sort}: {tried} faults, {placed / tried:.1%} at their line, {mended / tried:.1%} mended")
    tried, placed, mended = (sum(column) for column in zip(*count.values(), strict=True))
    print(f"all: {tried} faults, {placed / tried:.1%} at their line, {mended / tried:.1%} mended")
    assert set(count) == {"delete", "misspell", "move", "retype"}
    assert tried > 2500 / step
    assert placed / tried >= 0.98
    assert mended / tried >= 0.95
