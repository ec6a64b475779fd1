"""The contract of plug-ins as cases for pytest: each thing that each example must do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mlspec import registry
from mlspec.testing.check import Check


def cases(checks: Sequence[Check], *slots: str) -> list[Any]:
    """Return a check and an example a case; `pytest -k KIND` finds those of a kind."""
    return [
        pytest.param(check, example, id=f"{slot} {kind}-{place} {check.what}")
        for slot in slots
        for kind in registry.kinds(slot)
        for place, example in enumerate(registry.find(slot, kind).examples())
        for check in checks
    ]
