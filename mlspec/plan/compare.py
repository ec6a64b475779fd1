"""What two specs disagree about, and what follows: derived from the plans of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlspec.compose.document import KeyPath
from mlspec.plan.affected import followers, meets
from mlspec.plan.leaves import GONE, leaves
from mlspec.plan.plan import Plan, Step
from mlspec.spec.resolved import resolved
from mlspec.spec.spec import Spec

CONSEQUENCES = {
    "data": "reads the data again",
    "train": "retrains",
    "export": "re-exports",
    "evaluate": "evaluates again",
    "package": "redeploys",
    "watch": "watches differently",
    "cosmetic": "cosmetic: no step works again",
}
"""What a change may lead to, the widest first."""
_OF_STEP = {"ingest": "data", "validate": "data", "prepare": "data", "gate": "evaluate"}
"""The steps that share a consequence; every other step is its own."""


@dataclass(frozen=True)
class Change:
    """One thing that two specs say differently."""

    path: KeyPath
    """The key; of the newer spec where both have it."""
    old: Any
    """Plain data, defaults filled in; `GONE` where the older spec has no such key."""
    new: Any
    consequence: str
    """A key of `CONSEQUENCES`."""
    steps: tuple[str, ...] = ()
    """The steps whose parameters it changes, in the order of work."""
    by_mlspec: bool = False
    """True where neither spec says it: a step or a plug-in does its work differently now."""


@dataclass(frozen=True)
class Comparison:
    """Everything that two specs say differently, the widest consequence first."""

    changes: tuple[Change, ...]
    steps: tuple[str, ...]
    """Steps of the newer plan whose own parameters differ, or that are new."""
    followers: tuple[str, ...]
    """Steps of the newer plan that read what those write."""
    gone: tuple[str, ...]
    """Steps that only the older plan has."""


def compare(
    old: tuple[Spec, Plan],
    new: tuple[Spec, Plan],
    edited: Mapping[str, tuple[Any, Any]] | None = None,
    made: Mapping[KeyPath, tuple[Any, Any, tuple[str, ...]]] | None = None,
) -> Comparison:
    """Return what two specs say differently, by consequence. Nothing of the data is touched.

    Args:
        old: A spec and its plan.
        new: The same of the other.
        edited: Files that steps depend on and that are not the same on both sides, with a word for each.
        made: Parameters that mlspec itself now makes otherwise of the older spec, with both values and steps.
    """
    edited, made = edited or {}, made or {}
    before, after = ({step.name: step for step in plan.steps} for plan in (old[1], new[1]))
    names = [*after, *(name for name in before if name not in after)]
    differing: dict[str, tuple[KeyPath, ...]] = {}
    for name in names:
        paths = (
            *_differing(before.get(name), after.get(name)),
            *((file,) for file in edited if name in after and file in after[name].dependencies),
            *(path for path, (_, _, steps) in made.items() if name in steps),
        )
        if paths:
            differing[name] = paths
    found = [
        _change(path, one, other, differing)
        for path, one, other in leaves(resolved(old[0]), resolved(new[0]))
    ]
    found += [_change((file,), *words, differing) for file, words in edited.items()]
    found += [
        Change(path, one, other, consequence_of(steps), steps, by_mlspec=True)
        for path, (one, other, steps) in made.items()
    ]
    found += _derived(before, after, differing, found)
    rank = list(CONSEQUENCES)
    found.sort(key=lambda change: rank.index(change.consequence))
    working = [name for name in differing if name in after]
    return Comparison(
        tuple(found),
        tuple(working),
        followers(new[1], working),
        tuple(name for name in before if name not in after),
    )


def consequence_of(steps: tuple[str, ...]) -> str:
    """Return the widest consequence of work in some steps; cosmetic where there is none.

    Example:
        >>> consequence_of(("train", "export-main"))
        'train'
    """
    kinds = [name.partition("-")[0] for name in steps]
    found = {_OF_STEP.get(kind, kind) for kind in kinds}
    return next((name for name in CONSEQUENCES if name in found), "cosmetic")


def _differing(old: Step | None, new: Step | None) -> Iterator[KeyPath]:
    """Give the paths of the parameters that differ; a step in another folder differs by its name."""
    if old is None or new is None or old.pipeline != new.pipeline:
        step = new or old
        data = step is not None and step.kind in ("ingest", "validate", "prepare")
        if old is not None and new is not None:
            yield ("name",)
            if data:
                yield ("data", "name")
    before, after = (step.parameters if step is not None else GONE for step in (old, new))
    for path, _, _ in leaves(before, after, deep=True):
        yield path
    if old is not None and new is not None and old.dependencies != new.dependencies:
        yield ("dependencies",)


def _change(path: KeyPath, old: Any, new: Any, differing: Mapping[str, tuple[KeyPath, ...]]) -> Change:
    steps = tuple(name for name, paths in differing.items() if any(meets(path, one) for one in paths))
    consequence = consequence_of(steps)
    if not steps and path[0] == "monitoring":
        consequence = "watch"
    return Change(path, old, new, consequence, steps)


def _derived(
    before: Mapping[str, Step],
    after: Mapping[str, Step],
    differing: Mapping[str, tuple[KeyPath, ...]],
    found: list[Change],
) -> Iterator[Change]:
    """Give what no key of the specs explains: a raised revision, or what follows from a default."""
    told: dict[KeyPath, tuple[Any, Any, list[str]]] = {}
    explained = {name for change in found for name in change.steps}
    for name, paths in differing.items():
        if name not in before or name not in after:
            continue
        for path, one, other in leaves(before[name].parameters, after[name].parameters, deep=True):
            raised = path[0] == "revisions" and one is not GONE and other is not GONE
            if path in paths and (raised or name not in explained):
                told.setdefault(path, (one, other, []))[2].append(name)
    for path, (one, other, names) in told.items():
        yield Change(path, one, other, consequence_of(tuple(names)), tuple(names), by_mlspec=True)
