"""What can go wrong, as values: each error says what, where and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A position in a text that a user wrote."""

    document: str
    """The file as the user named it, or the override's own text."""
    line: int
    """1-based."""
    column: int
    """1-based, in characters."""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a spec or a command."""

    code: str
    """Stable number of this sort of fault, such as `MS0104`."""
    what: str
    """One sentence, with the user's own word in quotes."""
    where: Place | str | None = None
    """The place in the YAML, or a key's path where no line is known."""
    fix: str | None = None
    """A command, or "did you mean"."""
    excerpt: str | None = None
    """The offending line with a caret below it."""
    others: tuple[Place, ...] = ()
    """Further places of the same thing."""


class MlspecError(Exception):
    """Something mlspec refuses or cannot do.

    Args:
        what: One sentence with the user's own word in quotes.
        where: The place in the YAML, or the step.
        fix: A command that mends it, or "did you mean".
    """

    exit_code = 1

    def __init__(self, what: str, *, where: Place | str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix


class SpecError(MlspecError):
    """The spec is wrong: carries every fault found, in the order of the text."""

    exit_code = 2

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        first = faults[0]
        super().__init__(first.what, where=first.where, fix=first.fix)
        self.faults = faults


class UsageError(MlspecError):
    """The command line is wrong."""

    exit_code = 2


class PlanError(MlspecError):
    """The spec is well formed, and what it asks for cannot be planned."""

    exit_code = 2


class StepError(MlspecError):
    """A step could not do its work."""

    exit_code = 1


class CheckFailed(MlspecError):
    """A validation rule, a parity check or a gate said no."""

    exit_code = 1


class MissingError(MlspecError):
    """Something needed is missing on this machine: a package, a file, trust, a free workspace."""

    exit_code = 3


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM), as clusters and service managers ask: it ends as on Ctrl-C."""
