"""All that is known of one key of a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mlspec.compose.composed import Composed, Origin, at
from mlspec.compose.document import KeyPath
from mlspec.compose.near import near
from mlspec.errors import UsageError
from mlspec.spec.described import described, summary
from mlspec.spec.faults import dotted
from mlspec.spec.levels import at_path, homes, keys_at, plugin
from mlspec.spec.limits import limits
from mlspec.spec.resolved import resolved
from mlspec.spec.schema import options_of
from mlspec.spec.spec import Spec


@dataclass(frozen=True)
class Explained:
    """One key: what it is, and why."""

    path: KeyPath
    value: Any
    """Plain data, defaults filled in."""
    origins: tuple[Origin, ...]
    """Everything said of it, lowest layer first; empty where the schema's default holds."""
    description: str
    takes: str
    """What the key takes, in words."""
    default: Any
    """The schema's; None where it has none."""


def explain(key: str, spec: Spec, composed: Composed) -> Explained:
    """Return all that is known of a key.

    Args:
        key: As the user writes it: `training.optimizer.lr`, `evaluation.gates[0].metric`.
        spec: The whole spec.
        composed: Where each value was said.

    Raises:
        UsageError: there is no such key.
    """
    tree = resolved(spec)
    path = _path(key, tree)
    above, name = at_path(path[:-1], tree), str(path[-1])
    text, takes, default = "", "", None
    for level in above:
        model = level.model or plugin(level, at(tree, path[:-1]))
        if model is not None and name in model.model_fields:
            field = model.model_fields[name]
            text = summary(model) if name == "kind" and level.slot else described(model).get(name, "")
            takes = limits(options_of(field), at_path(path, tree))
            default = (
                None
                if field.is_required()
                else resolved(field.get_default(call_default_factory=True, validated_data={}))
            )
    if not text:
        text = next((summary(model) for model in _models(path, tree)), "")
    return Explained(path, at(tree, path), composed.origins(path), text, takes, default)


def _models(path: KeyPath, tree: Any) -> list[type[BaseModel]]:
    found = [level.model or plugin(level, at(tree, path)) for level in at_path(path, tree)]
    return [model for model in found if model is not None]


def _path(key: str, tree: Any) -> KeyPath:
    """Return a key's path: names of the user's may hold dots and blanks, so the tree says where each one
    ends.
    """
    path: KeyPath = ()
    node, rest = tree, key.replace("[", ".").replace("]", "")
    while rest:
        step, left = _step(node, rest)
        if step is None:
            _refuse(key, path, rest.split(".")[0], tree)
        assert step is not None
        path, rest, node = (*path, step), left, at(node, (step,))
    if not path:
        raise UsageError("no key is named", fix="write it with dots: training.optimizer.lr")
    return path


def _step(node: Any, rest: str) -> tuple[str | int | None, str]:
    if isinstance(node, list):
        word, _, left = rest.partition(".")
        return (int(word), left) if word.isdigit() and int(word) < len(node) else (None, rest)
    if isinstance(node, Mapping):
        for name in sorted(
            (name for name in node if rest == name or rest.startswith(f"{name}.")), key=len, reverse=True
        ):
            return name, rest[len(name) + 1 :]
    return None, rest


def _refuse(key: str, path: KeyPath, word: str, tree: Any) -> None:
    here = keys_at(path, tree) or tuple(at(tree, path) or () if isinstance(at(tree, path), Mapping) else ())
    close = near(word, here)
    under = f" under '{dotted(path)}'" if path else ""
    if close is not None:
        fix = f"did you mean '{dotted((*path, close))}'?"
    elif elsewhere := [home.path for home in homes() if home.key == key.rpartition(".")[2]]:
        fix = f"'{key.rpartition('.')[2]}' is {' or '.join(dict.fromkeys(elsewhere))}"
    else:
        fix = f"the keys here are {', '.join(here)}" if here else "there is nothing below it"
    raise UsageError(f"there is no key '{word}'{under}", fix=fix)
