"""Where rows come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.context import Context
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import ibis


class Source(Plugin):
    """One way to reach a table."""

    slot: ClassVar[str] = "source"
    text: ClassVar[bool] = False
    """True where every column comes as text whose kind the spec gives (CSV)."""

    def dependencies(self) -> tuple[str, ...] | None:
        """Return the local files (relative to the workspace, or absolute) that DVC can watch; None where it cannot.

        An empty tuple: the parameters say it all (a bundled sample, a synthetic table).
        """
        raise NotImplementedError

    def columns(self, context: Context) -> tuple[str, ...]:
        """Return the columns' names in order, from a header or footer only; imports nothing heavy where it can.

        Raises:
            MissingError: there is nothing at the source's place.
            StepError: what is there cannot be read as this kind.
        """
        raise NotImplementedError

    def table(self, context: Context) -> ibis.Table:
        """Return the rows, in the order of the source, as an expression; nothing is read until a step asks."""
        raise NotImplementedError

    def fingerprint(self, context: Context) -> dict[str, Any]:
        """Return what identifies the content now: names, sizes in bytes and hashes; no times, no machine's paths."""
        raise NotImplementedError
