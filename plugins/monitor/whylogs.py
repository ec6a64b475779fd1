"""Watch a deployment with whylogs profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field

from mlspec.sdk.fields import Duration, NoEffect, seconds
from mlspec.sdk.monitor import Monitor, Observer

if TYPE_CHECKING:
    from mlspec.sdk.contract import Contract
    from mlspec.sdk.segment import Segment


def _check_length(text: str) -> str:
    if seconds(text) < 1:
        raise ValueError("expected a second or more")
    return text


class Whylogs(Monitor):
    """Profiles of rows and answers, one file a window of time and process; sketches, never the rows.

    The files are whylogs' own format and can be merged, by mlspec and by whylogs, over time and machines.
    """

    requires: ClassVar[Mapping[str, str]] = {"whylogs": "serve"}

    every: Annotated[Duration, AfterValidator(_check_length), NoEffect()] = "1h"
    """Length of a window, a second or more: each has files of its own."""
    sample: Annotated[int, Field(ge=0, le=100_000), NoEffect()] = 0
    """Values of each number column (and number answer) that a window keeps beside its sketches, chosen at
    random; each column chooses for itself, so rows cannot be put together. 0 keeps none. The drift method
    `mann_whitney` needs them, and tests of few rows are sharper with them: 1000 is plenty.
    """
    min_rows: Annotated[int, Field(ge=0), NoEffect()] = 0
    """Rows that each window should see. One that ended with fewer is told as missing traffic by `mlspec
    monitor`, which then exits with 1; 0 asks for none.
    """

    def observer(self, contract: Contract, folder: Path, segments: Sequence[Segment] = ()) -> Observer:
        """Return an observer that writes into a folder; the rows of `segments` are watched apart, too."""
        from ._whylogs_observer import WhylogsObserver

        return WhylogsObserver(contract, folder, seconds(self.every), sample=self.sample, segments=segments)

    def compare(
        self,
        folder: Path,
        reference: dict[str, Any],
        drift: dict[str, Any],
        since: float | None = None,
        by_window: bool = False,
    ) -> dict[str, Any]:
        """Compare the profiles of a folder with a reference.

        Args:
            folder: Holds the profiles.
            reference: `inputs` and `answers`, each as `reference.json` has it, and `segments`, as
                `segments.json` has them; each may be absent.
            drift: `false_alarms` and `smallest_effect`.
            since: Seconds since 1970; windows that ended before are left out. Absent: all windows.
            by_window: Whether each window is told for itself as well.

        Returns:
            What `engine/watching/drift.py` reports, and `windows` (files), `since` and `until` (windows'
            starts), `dropped` (rows that were not watched), `lost` (rows that were taken, in no profile)
            and `skipped` (a line for each file that is no profile). Where the reference has segments,
            `segments`: what `engine/watching/by_segment.py` returns. With `by_window` that too: a list of
            `since`, `until`, `rows`, `verdict` and `columns` (those that drifted), earliest first. Where
            `min_rows` is set, `quiet`: what `engine/watching/quiet_windows.py` returns.

        Raises:
            MissingError: the folder holds no profile, or none of a window since then.
            StepError: none of its files can be read as one.
        """
        from ._whylogs_profiles import Expected, compare

        expected = Expected(seconds(self.every), self.min_rows) if self.min_rows else None
        return compare(folder, reference, drift, since, by_window, expected)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return instances that the contract tests use."""
        return (
            cls.revive({"of": "online"}),
            cls.revive({"of": "online", "every": "5m", "sample": 500, "min_rows": 1}),
        )
