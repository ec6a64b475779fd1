"""What was measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlspec.plan.plan import Step


def metrics(steps: Iterable[Step], workspace: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the measures of each export that some steps evaluated, by the export's name."""
    found = {}
    for step in steps:
        file = workspace / step.output / "metrics.json"
        if step.kind == "evaluate" and file.is_file():
            found[step.name.partition("-")[2]] = json.loads(file.read_bytes())
    return found
