"""Whether the memory that a spec allows is enough to work at all."""

from __future__ import annotations

from collections.abc import Iterator

from mlspec.compose.composed import Composed
from mlspec.errors import Fault
from mlspec.sdk.budget import smallest
from mlspec.sdk.fields import size_text
from mlspec.spec.spec import Spec


def check_memory(spec: Spec, composed: Composed) -> Iterator[Fault]:
    """Give a `data.memory` with which no run can end, whatever the rows are."""
    memory = spec.data.memory
    devices = spec.hardware.devices
    least = smallest(devices)
    if memory is None or memory >= least:
        return
    whom = "a run" if devices == 1 else f"a run whose training is {devices} processes"
    what = f"{whom} cannot work in data.memory: {size_text(memory)}; the libraries alone take much of that"
    yield composed.fault(
        "MS0341", what, ("data", "memory"), fix=f"set data.memory: {size_text(least)} or more"
    )
