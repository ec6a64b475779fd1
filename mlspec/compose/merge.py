"""How a higher layer covers a lower one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlspec.compose.document import KeyPath

IsSlot = Callable[[KeyPath], bool]


def merge(low: Any, high: Any, is_slot: IsSlot, path: KeyPath = ()) -> Any:
    """Return what is said when `high` is laid on `low`.

    Mappings merge key by key; a mapping of another `kind` replaces the whole mapping below it; lists and
    everything else
    are replaced; null over a mapping says nothing. A kind's bare name in a slot counts as `{kind: name}`.

    Example:
        >>> merge({"kind": "mlp", "hidden": [8]}, {"kind": "linear"}, lambda path: True)
        {'kind': 'linear'}
        >>> merge({"a": {"x": 1}}, {"a": None}, lambda path: False)
        {'a': {'x': 1}}
    """
    if high is None and isinstance(low, Mapping):
        return low
    if not isinstance(high, Mapping):
        return high
    if isinstance(low, str) and "kind" not in high and is_slot(path):
        low = {"kind": low}
    if not isinstance(low, Mapping) or _other_kind(low, high):
        return high
    result = dict(low)
    for key, value in high.items():
        result[key] = merge(low[key], value, is_slot, (*path, key)) if key in low else value
    return result


def _other_kind(low: Mapping[str, Any], high: Mapping[str, Any]) -> bool:
    return "kind" in low and "kind" in high and low["kind"] != high["kind"]


def put(low: Any, path: KeyPath, value: Any, is_slot: IsSlot, at: KeyPath = ()) -> Any:
    """Return what is said when one value is laid on `low` at a path; a number in the path counts into a list.

    Raises:
        LookupError: the path counts past the end of a list.
    """
    if not path:
        return merge(low, value, is_slot, at)
    head, rest = path[0], path[1:]
    if isinstance(low, list) and isinstance(head, int):
        if head >= len(low):
            raise LookupError(f"'{'.'.join(map(str, at))}' has {len(low)} items, counted from 0")
        return [
            put(item, rest, value, is_slot, (*at, head)) if head == index else item
            for index, item in enumerate(low)
        ]
    if isinstance(low, str) and head != "kind" and is_slot(at):
        low = {"kind": low}
    base = low if isinstance(low, Mapping) else {}
    if head == "kind" and not rest and _other_kind(base, {"kind": value}):
        return {"kind": value}
    return {**base, head: put(base.get(head), rest, value, is_slot, (*at, head))}


def without(low: Any, path: KeyPath) -> Any:
    """Return `low` without the key at a path.

    Raises:
        LookupError: there is no such key.
    """
    if not isinstance(low, Mapping) or path[0] not in low:
        raise LookupError(path[0])
    if len(path) == 1:
        return {key: value for key, value in low.items() if key != path[0]}
    return {**low, path[0]: without(low[path[0]], path[1:])}
