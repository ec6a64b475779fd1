"""Keys of a section that the chosen model does not obey, as one fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mlspec.compose.composed import Composed
from mlspec.errors import Fault, Place
from mlspec.spec.order import order


def unused(model: str, section: str, keys: Iterable[str], why: str, composed: Composed) -> Iterator[Fault]:
    """Give one fault that names all keys, at the first of them, with the places of the others.

    What a preset says is for all models: such keys are passed over.

    Args:
        model: Kind of the model.
        section: The section in which the keys stand.
        keys: Those that the model does not obey.
        why: Ends the mend: what the model uses instead, or why it does not.
        composed: Where each value was said.
    """
    found = []
    for key in keys:
        path = (section, key)
        origins = composed.origins(path)
        if not origins or origins[-1].preset is None:
            found.append(composed.fault("MS0308", f"'{section}.{key}'", path, key=True))
    if not found:
        return
    first, *others = order(found, composed)
    *names, last = (fault.what for fault in (first, *others))
    listed = f"{', '.join(names)} and {last}" if names else last
    yield replace(
        first,
        what=f"the model '{model}' does not use {listed}",
        fix=f"remove {'them' if names else 'it'}{why}",
        others=tuple(fault.where for fault in others if isinstance(fault.where, Place)),
    )
