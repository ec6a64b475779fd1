"""What must hold of the numbers before anything is packaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from mlspec.sdk.fields import KindOf
from mlspec.sdk.plugin import Plugin


@dataclass(frozen=True)
class GateVerdict:
    """What a gate says."""

    passed: bool
    text: str
    """One sentence with both numbers."""


class Gate(Plugin):
    """One condition on measured numbers."""

    slot: ClassVar[str] = "gate"

    metric: Annotated[str, KindOf("metric")]
    """The measure it looks at; it must be among `evaluation.metrics`."""
    export: str = "main"
    """The export whose measures it looks at."""

    def judge(self, metrics: Mapping[str, Any]) -> GateVerdict:
        """Judge the content of an export's `metrics.json` (metric name to value)."""
        raise NotImplementedError
