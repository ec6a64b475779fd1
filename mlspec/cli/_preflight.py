"""What a plan tells of a training before it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlspec.plan.plan import Plan
    from mlspec.run.preflight import Preflight

UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def preflight_of(plan: Plan, workspace: Path, wanted: bool) -> Preflight | None:
    """Return what a training will take; None where that is not asked for, or not known.

    A model that is fitted at once has no hardware. It takes the seconds in which torch is imported: so it
    is asked for, or told where it matters most: on several devices, on CUDA and on a TPU.
    """
    hardware = plan.step("train").parameters.get("hardware")
    if hardware is None:
        return None
    apart = hardware["accelerator"] in ("cuda", "tpu")
    if not (wanted or apart or hardware["devices"] * hardware["nodes"] > 1):
        return None
    from mlspec.run.preflight import preflight

    return preflight(plan, workspace)


def lines(found: Preflight) -> Iterator[str]:
    """Give what a user reads."""
    yield (
        f"training: {_count(found.epochs, 'epoch')} x {_count(found.steps, 'step')} "
        f"({found.rows:,} rows, as they were last prepared)"
    )
    if found.configuration is not None:
        yield f"configuration: {json.dumps(found.configuration)}"
    if found.memory is None:
        yield "memory a device: told where torch is installed"
        return
    parts = ", ".join(f"{name} {size(value)}" for name, value in plain(found)["memory"].items() if value)
    yield f"memory a device: {size(found.memory.total)} ({parts})"


def plain(found: Preflight) -> dict[str, Any]:
    """Return it as plain data; bytes of a device."""
    import dataclasses

    return dataclasses.asdict(found)


def size(count: int) -> str:
    """Return bytes as people read them.

    Example:
        >>> size(49_909_020), size(900), size(2_500_000_000)
        ('49.9 MB', '900 B', '2.5 GB')
    """
    for unit, step in UNITS:
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count} B"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("s" if number != 1 else "")
