"""A training's module, weights and vectors in the forms that TensorBoard takes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from mlspec.engine.training.seeded import random_state, restore

if TYPE_CHECKING:
    from mlspec.engine.training.lesson import Lesson

BINS = 64
VALUES = 1_000_000
"""Of one weight, at most, that its histogram looks at."""
LINES = 10_000
"""Values of one column, at most, whose vectors are shown: the most frequent ones."""
UNKNOWN, NULL = "<unknown>", "<null>"
"""What the first two codes of a column are called."""


def histogram_of(tensor: torch.Tensor) -> dict[str, Any] | None:
    """Return how a tensor's finite values are spread, as `add_histogram_raw` takes it; None of none."""
    flat = tensor.detach().reshape(-1)
    values = flat[:: len(flat) // VALUES + 1].to("cpu", torch.float32)
    values = values[values.isfinite()]
    if not len(values):
        return None
    counts, edges = torch.histogram(values, BINS)
    exact = values.double()
    return {
        "min": values.min().item(),
        "max": values.max().item(),
        "num": len(values),
        "sum": exact.sum().item(),
        "sum_squares": (exact @ exact).item(),
        "bucket_limits": edges[1:].tolist(),
        "bucket_counts": counts.tolist(),
    }


def graph_of(lesson: Lesson) -> Any:
    """Return the module's graph as TensorBoard takes it, or why there is none, as text.

    The module is a new one that is forgotten, so that nothing is drawn from the training's random numbers
    and no module that keeps averages sees these rows.
    """
    from torch.utils.tensorboard._pytorch_graph import graph

    before = random_state()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            module = lesson.model.module(lesson.inputs, lesson.target).eval()
            rows = (torch.zeros(2, lesson.inputs.numbers), torch.zeros(2, len(lesson.inputs.sizes)).long())
            return graph(module, rows)  # type: ignore[no-untyped-call]
    except Exception as fault:  # noqa: BLE001 - a module that cannot be traced can be trained all the same
        return f"The module has no graph here: {type(fault).__name__}: {fault}"
    finally:
        restore(before)


def vectors_of(
    lesson: Lesson, module: torch.nn.Module, counts: Sequence[torch.Tensor]
) -> Mapping[str, tuple[torch.Tensor, list[list[str]]]]:
    """Return the vectors of each category column, with a name and the training rows of each.

    A part of the module that has a `vectors()` says which they are, by the column's place; a table of torch's
    own counts where the tables have the columns' sizes, in their order.

    Args:
        lesson: What was learnt.
        module: Trained, on the CPU.
        counts: For each code column, the training rows of each code.
    """
    names, found = lesson.labels() if lesson.labels is not None else {}, {}
    for place, table in sorted(_tables(lesson, module).items()):
        column = lesson.inputs.code_names[place] if lesson.inputs.code_names else str(place)
        shown = table.detach()[:LINES]
        if min(shown.shape) < 2:
            continue
        called = names.get(column, {})
        lines = [
            [_called(code, called), str(int(count))]
            for code, count in enumerate(counts[place][: len(shown)].tolist())
        ]
        found[column] = (shown, lines)
    return found


def _called(code: int, names: Mapping[int, str]) -> str:
    """Return what a code stands for, on one line."""
    word = {0: UNKNOWN, 1: NULL}.get(code) or names.get(code, str(code))
    return " ".join(word.split()) or "<blank>"


def _tables(lesson: Lesson, module: torch.nn.Module) -> Mapping[int, torch.Tensor]:
    told: dict[int, torch.Tensor] = {}
    plain = []
    for part in module.modules():
        vectors = getattr(part, "vectors", None)
        if vectors is not None:
            told |= vectors()
        elif isinstance(part, torch.nn.Embedding):
            plain.append(part.weight)
    if not told and tuple(len(table) for table in plain) == lesson.inputs.sizes:
        return dict(enumerate(plain))
    return told
