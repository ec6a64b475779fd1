"""Where two trees disagree, against trees rebuilt from the answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mlspec.plan.leaves import GONE, leaves, same

PLAIN = some.none() | some.booleans() | some.integers(-3, 3) | some.sampled_from(["a", "b"])
TREES = some.recursive(
    PLAIN,
    lambda inner: (
        some.dictionaries(some.sampled_from("abc"), inner, max_size=3) | some.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


@given(some.dictionaries(some.sampled_from("abc"), TREES), some.dictionaries(some.sampled_from("abc"), TREES))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_deep_leaves_turn_the_old_tree_into_the_new_one(old: Any, new: Any) -> None:
    made = _flat(old)
    for path, before, after in leaves(old, new, deep=True):
        if before is not GONE and path in made:
            assert same(made.pop(path), before)
        if after is not GONE:
            made[path] = after
    wanted = _flat(new)
    # Where a mapping lost or got its last key, the answer may name the empty mapping or only its keys.
    for path in {*made, *wanted}:
        if made.get(path, {}) != {} or wanted.get(path, {}) != {}:
            assert same(made.get(path), wanted.get(path)), path


def _flat(tree: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    if isinstance(tree, dict) and tree:
        return {key: value for name in tree for key, value in _flat(tree[name], (*path, name)).items()}
    return {path: tree}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [(("a",), 1, True)]),
        (
            {"m": {"kind": "x", "p": 1}},
            {"m": {"kind": "y"}},
            [(("m",), {"kind": "x", "p": 1}, {"kind": "y"})],
        ),
        ({"l": [1, 2]}, {"l": [2]}, [(("l",), [1, 2], [2])]),
        (
            {"g": [{"kind": "a", "x": 1}, {"kind": "b"}]},
            {"g": [{"kind": "a", "x": 2}, {"kind": "b"}]},
            [(("g", 0, "x"), 1, 2)],
        ),
        (
            {"g": [{"kind": "a"}, {"kind": "b"}]},
            {"g": [{"kind": "b"}]},
            [(("g", 0), {"kind": "a"}, GONE)],
        ),
        ({"g": [{"kind": "a"}, {"kind": "b"}]}, {"g": [{"kind": "b"}, {"kind": "a"}]}, 1),
    ],
)
def test_lists_and_kinds_are_told_as_people_would(old: Any, new: Any, told: Any) -> None:
    found = list(leaves(old, new))
    assert len(found) == told if isinstance(told, int) else found == told
