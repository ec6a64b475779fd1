"""Where two trees of plain data disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlspec.compose.document import KeyPath

GONE: Any = type("Gone", (), {"__repr__": lambda self: "GONE"})()
"""Stands where a tree has no such key."""
Leaf = tuple[KeyPath, Any, Any]


def leaves(old: Any, new: Any, path: KeyPath = (), *, deep: bool = False) -> Iterator[Leaf]:
    """Give the path, the old and the new value of everything that differs, in the order of the keys.

    Args:
        old: Plain data, or `GONE`.
        new: The same.
        path: Where both stand.
        deep: Go down to the last leaf, also of what came or went whole or is of another kind now.

    Example:
        >>> list(leaves({"a": {"b": 1}}, {"a": {"b": 2}, "c": {"d": 3}}))
        [(('a', 'b'), 1, 2), (('c',), GONE, {'d': 3})]
    """
    if same(old, new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping) and (deep or not _other_kind(old, new)):
        for key in sorted({*old, *new}, key=str):
            yield from leaves(old.get(key, GONE), new.get(key, GONE), (*path, key), deep=deep)
    elif isinstance(old, list) and isinstance(new, list) and not deep:
        yield from _items(old, new, path)
    elif deep and isinstance(old, Mapping) and old:
        yield from leaves(old, {}, path, deep=True)
        if new is not GONE and not isinstance(new, Mapping):
            yield path, GONE, new
    elif deep and isinstance(new, Mapping) and new:
        if old is not GONE and not isinstance(old, Mapping):
            yield path, old, GONE
        yield from leaves({}, new, path, deep=True)
    else:
        yield path, old, new


def _items(old: list[Any], new: list[Any], path: KeyPath) -> Iterator[Leaf]:
    """Give items that changed in their place where only options differ, else what came and what went."""
    if not any(isinstance(item, Mapping) for item in (*old, *new)):
        yield path, old, new
    elif len(old) == len(new) and not any(
        _other_kind(one, other) for one, other in zip(old, new, strict=True)
    ):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from leaves(one, other, (*path, index))
    else:
        gone = [(index, item) for index, item in enumerate(old) if not any(same(item, one) for one in new)]
        came = [(index, item) for index, item in enumerate(new) if not any(same(item, one) for one in old)]
        if not gone and not came:
            yield path, old, new
        for index, item in gone:
            yield (*path, index), item, GONE
        for index, item in came:
            yield (*path, index), GONE, item


def same(old: Any, new: Any) -> bool:
    """Return whether two values mean the same: 1 and 1.0 do, 1 and true do not."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(one, other) for one, other in zip(old, new, strict=True))
    return bool(isinstance(old, bool) == isinstance(new, bool) and old == new)


def _other_kind(old: Any, new: Any) -> bool:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return not same(old, new)
    return bool("kind" in old and "kind" in new and old["kind"] != new["kind"])
