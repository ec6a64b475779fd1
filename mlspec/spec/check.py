"""What a well-formed spec still gets wrong: names that point nowhere, choices that contradict each other,
columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mlspec.compose.composed import Composed
from mlspec.compose.document import KeyPath
from mlspec.errors import Fault
from mlspec.spec.check_columns import Known, check_columns
from mlspec.spec.check_compute import check_compute
from mlspec.spec.check_contract import check_contract
from mlspec.spec.check_drift import check_drift
from mlspec.spec.check_hardware import check_hardware
from mlspec.spec.check_memory import check_memory
from mlspec.spec.check_queries import check_queries
from mlspec.spec.check_sweep import check_sweep
from mlspec.spec.check_target import check_metrics, check_target
from mlspec.spec.check_training import check_training
from mlspec.spec.check_uses import check_uses
from mlspec.spec.spec import Spec

_Check = Callable[[Spec, Composed], Iterator[Fault]]
_CHECKS: tuple[tuple[_Check, tuple[KeyPath, ...]], ...] = (
    (check_target, (("data", "target"), ("data", "split"), ("data", "event_time"))),
    (
        check_metrics,
        (
            ("data", "target"),
            ("evaluation", "metrics"),
            ("evaluation", "slices"),
            ("evaluation", "gates"),
            ("exports",),
        ),
    ),
    (check_training, (("model",), ("data", "target"), ("data", "split"), ("training", "early_stopping"))),
    (check_hardware, (("hardware",), ("model",), ("training", "batch_size"))),
    (check_memory, (("data", "memory"), ("hardware", "devices"))),
    (check_uses, (("exports",), ("deployments",), ("monitoring",))),
    (
        check_compute,
        (("data", "source"), ("data", "features"), ("validation", "rules"), ("model",), ("sweep",)),
    ),
    (check_queries, (("exports",), ("deployments",), ("model",), ("data", "features"), ("training",))),
    (check_drift, (("data", "features"), ("monitoring",))),
    (
        check_sweep,
        tuple((name,) for name in ("sweep", "model", "training", "hardware", "evaluation", "data")),
    ),
)
"""Each check and the parts of the spec it reads; where one of them is unclear the check waits."""
_COLUMNS: tuple[KeyPath, ...] = (
    *(("data", key) for key in ("source", "features", "key", "weight", "ignore", "split")),
    ("data", "target", "column"),
    ("data", "event_time", "column"),
    ("evaluation", "slices"),
    ("validation", "rules"),
)


def check(
    spec: Spec,
    composed: Composed,
    folder: Path,
    unclear: tuple[KeyPath, ...],
    *,
    data: bool,
    known: Known = lambda spec: None,
) -> list[Fault]:
    """Return every fault of meaning.

    Args:
        spec: A well-formed spec, perhaps with stand-ins for parts that are not.
        composed: Where each value was said.
        folder: The spec's folder, where relative paths start.
        unclear: Parts that are stand-ins.
        data: Whether the source's columns are read.
        known: Asked for them where the source is not here.
    """
    found: list[Fault] = []
    for function, reads in _CHECKS:
        if not _touches(unclear, reads):
            found += function(spec, composed)
    # A feature whose options are wrong is still a named column.
    named = tuple(path for path in unclear if path[:2] != ("data", "features") or len(path) < 3)
    if not _touches(named, _COLUMNS):
        found += check_columns(spec, composed, folder, data=data, known=known)
    if not _touches(unclear, (("validation",), ("data", "name"), ("name",))):
        found += check_contract(spec, composed, folder)
    return found


def _touches(unclear: tuple[KeyPath, ...], reads: tuple[KeyPath, ...]) -> bool:
    return any(path[: len(read)] == read or read[: len(path)] == path for path in unclear for read in reads)
