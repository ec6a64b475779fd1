"""`data:`: where rows come from, what each column is, and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlspec.sdk.feature import Feature
from mlspec.sdk.fields import Column, Name, NoEffect, Sized
from mlspec.sdk.frozen import Section
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Source
from mlspec.sdk.split import Split
from mlspec.spec.target import Target


class EventTime(Section):
    """`data.event_time`: when a row happened."""

    column: Column
    """The column that holds the time."""
    timezone: str = "UTC"
    """The zone of naive times, such as `Europe/Berlin`."""


class Data(Section):
    """Where rows come from, what each column is, and how they are split."""

    name: Name | None = None
    """Specs with one `data.name` share the data steps; the spec's own name where absent."""
    source: Annotated[Source, Slot("source")]
    """The table."""
    key: tuple[Column, ...] = ()
    """Columns that identify a row: carried along into ledger and scores, never a model input."""
    weight: Column | None = None
    """A column with each row's weight in training and metrics."""
    ignore: tuple[Column, ...] = ()
    """Columns that are there and not used."""
    event_time: EventTime | None = None
    """When a row happened; a `time` split needs it."""
    target: Target
    """What is predicted."""
    features: Literal["auto"] | Mapping[Column, Annotated[Feature, Slot("feature")]]
    """Each input column and its kind; `auto` proposes kinds, and the choice is written into plan.yaml."""
    split: Annotated[Split, Slot("split", default="random")] = Field(  # type: ignore[assignment]
        default_factory=lambda: Slot("split").choose("random"), validate_default=False
    )
    """Which rows train, which choose (val), which judge (test)."""
    memory: Annotated[Annotated[int, Sized("1MB", "100TB")] | None, NoEffect()] = None
    """Memory that the processes of a run hold together at most, libraries included, such as `4GB`; what does
    not fit waits on disk. It changes no result. Where nothing is said the database takes a quarter of the
    machine's memory, and at most 4 GiB."""
    max_rejects: float = Field(default=0.0, ge=0, le=1)
    """Share of rows (fraction 0-1) that may be unreadable and left out; they are counted in the ledger."""
