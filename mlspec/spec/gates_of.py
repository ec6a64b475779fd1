"""Every gate of a spec, wherever it was said."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec.compose.document import KeyPath
from mlspec.sdk.gate import Gate
from mlspec.spec.spec import Spec


def gates_of(spec: Spec) -> Iterator[tuple[KeyPath, Gate]]:
    """Give each gate with its place: those of the evaluation, then of each export, about that one."""
    for index, gate in enumerate(spec.evaluation.gates):
        yield ("evaluation", "gates", index), gate
    for name in sorted(spec.exports):
        for index, gate in enumerate(spec.exports[name].gates):
            yield ("exports", name, "gates", index), gate.model_copy(update={"export": name})
