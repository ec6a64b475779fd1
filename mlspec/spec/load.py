"""From a file to a `Spec`, or to every fault in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mlspec import registry
from mlspec.compose.compose import gather
from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.compose.reader import MOST_FAULTS
from mlspec.compose.workspace import workspace_of
from mlspec.errors import Fault, MissingError, SpecError
from mlspec.sdk.frozen import freeze
from mlspec.spec.spec import Spec

LONG = 20_000
"""Keys and values from which the parts of a faulty spec that are well formed are not checked for meaning."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A spec, and what it was made of."""

    spec: Spec
    composed: Composed
    workspace: Path
    """The nearest folder above the spec with `.dvc`, else the spec's own."""
    files: tuple[Path, ...]
    """Every file that was read: presets, the spec, overlays."""


def load_spec(
    path: str | Path, overrides: Sequence[str] = (), overlays: Sequence[Path] = (), *, data: bool = True
) -> Spec:
    """Return the spec in a file; see `load`."""
    return load(Path(path), overrides, overlays, data=data).spec


def load(
    path: Path,
    overrides: Sequence[str] = (),
    overlays: Sequence[Path] = (),
    *,
    data: bool = True,
    known: Callable[[Spec], tuple[str, ...] | None] = lambda spec: None,
) -> Loaded:
    """Return a spec and what it was made of.

    Args:
        path: The spec's file.
        overrides: `key=value`, `group=preset`, `~key`.
        overlays: Files laid over the spec, lowest first.
        data: Whether the columns of the data are read and checked; without it nothing of the data is touched.
        known: Asked for the columns of data that is not here: empty where nobody knows them, None where it
            is a fault that it is not here.

    Raises:
        SpecError: with every fault, each with its place and its mend.
        MissingError: the spec names a plug-in of a workspace that is not trusted, or a database that is not
            within reach.
    """
    path = Path(path)
    workspace = workspace_of(path)
    registry.attach(workspace)
    composed, faults = gather(path, overrides, overlays, is_slot=_is_slot)
    found: list[Fault] = list(faults)
    if composed.environment:
        from mlspec.spec.secrets import check_secrets

        found += check_secrets(composed)
    early = set(found)
    told = {fault.where for fault in found}
    spec, unclear = _validate(composed, found)
    if spec is not None:
        from mlspec.spec.check import check

        found += check(spec, composed, path.resolve().parent, unclear, data=data, known=known)
    if told:
        # A word that is already told of is wrong for every later reader as well.
        found = [fault for fault in found if fault in early or fault.where not in told]
    if found or spec is None:
        from mlspec.spec.order import order
        from mlspec.spec.secrets import masked

        ordered = masked(order(found, composed), composed)
        if all(fault.code == "MS0313" for fault in ordered):
            first = ordered[0]
            raise MissingError(first.what, where=first.where, fix=first.fix)
        raise SpecError(ordered)
    return Loaded(spec, composed, workspace, composed.files)


def _is_slot(path: KeyPath) -> bool:
    from mlspec.spec.levels import is_slot

    return is_slot(path)


def _validate(composed: Composed, found: list[Fault]) -> tuple[Spec | None, tuple[KeyPath, ...]]:
    """Return the spec; where it has faults, the spec without its faulty parts, and which parts those are."""
    try:
        return Spec.model_validate(freeze(composed.tree)), ()
    except ValidationError as error:
        from mlspec.spec.faults import faults
        from mlspec.spec.prune import prune

        found += faults(error, composed)
        # What is left of a text that is wrong throughout tells nobody anything; and a very long one is read
        # twice only when it is well formed.
        if error.error_count() > MOST_FAULTS or len(composed.spec.marks) > LONG:
            return None, ()
        return prune(composed.tree, error)
