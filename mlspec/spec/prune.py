"""A faulty spec without its faults, so that what is left can be checked for meaning in the same go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mlspec.compose.composed import at
from mlspec.compose.document import KeyPath
from mlspec.errors import MlspecError
from mlspec.sdk.frozen import freeze
from mlspec.spec.faults import Error, errors
from mlspec.spec.spec import Spec

ROUNDS = 8
_STAND_INS: Mapping[KeyPath, Any] = {
    ("apiVersion",): "mlspec/v1",
    ("name",): "unnamed",
    ("model",): {"kind": "linear"},
    ("data", "source"): {"kind": "csv", "path": "unknown"},
    ("data", "target"): {"column": "unknown", "kind": "binary"},
    ("data", "target", "kind"): "category",
    ("data", "features"): "auto",
}
"""What stands for a required part that cannot be read; nothing that depends on it is checked."""


def prune(tree: Any, error: ValidationError) -> tuple[Spec | None, tuple[KeyPath, ...]]:
    """Return what is left of a spec, and the paths whose meaning is not known; no spec where nothing can
    be saved.

    Args:
        tree: The composed tree.
        error: What pydantic says of it.
    """
    unclear: list[KeyPath] = []
    for _ in range(ROUNDS):
        before = tree
        for item in errors(error, tree):
            tree = _mend(tree, item, unclear)
        if tree is before:
            return None, ()
        try:
            return Spec.model_validate(freeze(tree)), tuple(unclear)
        except ValidationError as next_error:
            error = next_error
        except MlspecError:
            return None, ()
    return None, ()


def _mend(tree: Any, error: Error, unclear: list[KeyPath]) -> Any:
    path = error.path
    if error.sort == "extra_forbidden":
        return _without(tree, path)
    if path[:2] == ("data", "features") and len(path) > 2:
        unclear.append(path[:3])
        return _with(tree, path[:3], "number")
    listed = next((index for index, step in enumerate(path) if isinstance(step, int)), None)
    if listed is not None:
        path = path[:listed]
    elif error.sort == "missing" and path not in _STAND_INS:
        path = path[:-1]
    if path not in _STAND_INS and error.sort != "missing":
        # Where it was required, the next round says so, and what it belongs to is what cannot be read.
        if path in unclear:
            return tree  # said of each form that it could have
        rest = _without(tree, path)
        if rest != tree:
            unclear.append(path)
            return rest
    for size in range(len(path), 0, -1):
        if path[:size] in _STAND_INS:
            unclear.append(path[:size])
            return _with(tree, path[:size], _STAND_INS[path[:size]])
    if not path:
        return tree
    if path == ("data",):
        unclear.append(path)
        return _with(
            tree,
            path,
            {
                "source": _STAND_INS["data", "source"],
                "target": _STAND_INS["data", "target"],
                "features": "auto",
            },
        )
    unclear.append(path)
    return _without(tree, path)


def _without(tree: Any, path: KeyPath) -> Any:
    if not isinstance(tree, Mapping) or path[0] not in tree:
        return tree
    if len(path) == 1:
        return {key: value for key, value in tree.items() if key != path[0]}
    inner = tree[path[0]]
    if isinstance(inner, list) and isinstance(path[1], int):
        if len(path) == 2:
            return {**tree, path[0]: [item for index, item in enumerate(inner) if index != path[1]]}
        items = [_without(item, path[2:]) if index == path[1] else item for index, item in enumerate(inner)]
        return {**tree, path[0]: items}
    return {**tree, path[0]: _without(inner, path[1:])}


def _with(tree: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    base = tree if isinstance(tree, Mapping) else {}
    return {**base, path[0]: _with(at(base, path[:1]), path[1:], value)}
