"""One thing that a plug-in must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class Broken(AssertionError):
    """A plug-in does not do what it must."""


@dataclass(frozen=True)
class Check:
    """One thing that every plug-in of a slot must do."""

    what: str
    """What it does, as it is told: `learns a planted signal of two classes`."""
    fix: str
    """What to look at where it does not."""
    run: Callable[[Any, Path], None]
    """Takes an example of the plug-in and an empty folder; raises where it does not do it."""


def hold(condition: object, told: str) -> None:
    """Go on where a condition holds.

    Raises:
        Broken: it does not.
    """
    if not condition:
        raise Broken(told)
