"""Faults in the order of the text."""

from __future__ import annotations

from collections.abc import Iterable

from mlspec.compose.composed import Composed
from mlspec.errors import Fault, Place


def order(faults: Iterable[Fault], composed: Composed) -> tuple[Fault, ...]:
    """Return faults without repeats: the spec's first, by line, then those of overlays, presets and
    overrides.
    """
    rank = {composed.spec.name: 0}
    for layer in composed.layers:
        rank.setdefault(layer.document.name, len(rank))

    def key(fault: Fault) -> tuple[int, int, int, str]:
        if isinstance(fault.where, Place):
            return (
                rank.get(fault.where.document, len(rank)),
                fault.where.line,
                fault.where.column,
                fault.code,
            )
        return (len(rank) + 1, 0, 0, fault.code)

    return tuple(sorted(dict.fromkeys(faults), key=key))
