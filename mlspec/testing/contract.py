"""What a plug-in must do: its slot's checks, and those of every slot, on each of its examples."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mlspec import registry
from mlspec.errors import MissingError, MlspecError
from mlspec.sdk.plugin import Plugin
from mlspec.testing.check import Broken, Check
from mlspec.testing.general import CHECKS as GENERAL


@dataclass(frozen=True)
class Verdict:
    """Whether one example of a plug-in does one thing."""

    example: int
    """The example's place in `examples()`, from 0."""
    check: Check
    broken: str | None
    """What was found instead; None where it holds."""
    seconds: float

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        fix = {} if self.broken is None else {"broken": self.broken, "fix": self.check.fix}
        return {
            "example": self.example, "what": self.check.what, "holds": self.broken is None,
            "seconds": round(self.seconds, 3), **fix,
        }  # fmt: skip


def checks_of(slot: str) -> tuple[Check, ...]:
    """Return what every plug-in of a slot must do; of some slots only what every plug-in must."""
    name = f"mlspec.testing.{slot}"
    own: tuple[Check, ...] = import_module(name).CHECKS if find_spec(name) is not None else ()
    return GENERAL + own


def verdicts(slot: str, kind: str) -> Iterator[Verdict]:
    """Yield a verdict for each example of a kind and each thing that it must do, as they come.

    Raises:
        MissingError: a package that it needs is not installed.
        MlspecError: there is no such kind, or its file cannot be loaded.
    """
    found: Any = registry.find(slot, kind)
    for place, example in enumerate(found.examples()):
        for check in checks_of(slot):
            begun = time.perf_counter()
            broken = _broken(check, example)
            yield Verdict(place, check, broken, time.perf_counter() - begun)


def _broken(check: Check, example: Plugin) -> str | None:
    with tempfile.TemporaryDirectory(prefix="mlspec-check-") as folder:
        try:
            check.run(example, Path(folder))
        except Broken as broken:
            return str(broken)
        except MissingError:
            raise
        except MlspecError as fault:
            return fault.what
        except Exception as fault:  # noqa: BLE001 - whatever a plug-in raises is what is wrong with it
            return f"{type(fault).__name__}: {fault}"
    return None
