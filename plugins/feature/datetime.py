"""A moment in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator

from mlspec.sdk.contract import JsonType, Tensor
from mlspec.sdk.feature import Block, Feature, FittedColumn

if TYPE_CHECKING:
    import ibis

    from mlspec.engine.builder import Builder

Part = Literal["elapsed", "year", "month", "day", "weekday", "hour", "minute", "second"]


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone is called '{name}'; expected one such as Europe/Berlin") from error
    return name


class Datetime(Feature):
    """Parts of a time: those that come round again as a place on a circle, the others as scaled numbers."""

    tensor: ClassVar[Tensor] = "float64"
    as_query: ClassVar[bool] = True
    takes: ClassVar[tuple[JsonType, ...]] = ("datetime",)
    parse_fields: ClassVar[tuple[str, ...]] = ("timezone",)

    parts: tuple[Part, ...] = Field(default=("elapsed", "month", "weekday", "hour"), min_length=1)
    """What a model sees of the time; `elapsed` is the moment itself on one long line."""
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    """The zone whose clock tells the parts and reads naive times; without it UTC, and those are refused."""

    @field_validator("parts")
    @classmethod
    def _once(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if len(set(parts)) < len(parts):
            raise ValueError("expected each part once")
        return parts

    def moments(self, column: ibis.Column) -> ibis.Column | None:
        """Return the seconds since 1970."""
        return column.cast("timestamp").epoch_seconds() if column.type().is_date() else column.epoch_seconds()

    def fit(self, aggregates: Mapping[str, Any], counts: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
        """Return the zone's rules, centre and spread in milliseconds, and whether the column had gaps."""
        from mlspec.engine.graph.calendar import rules

        return {
            "centre": float(round((aggregates["mean"] or 0.0) * 1000)),
            "spread": max(float(round((aggregates["std"] or 0.0) * 1000)), 1000.0),
            "gaps": aggregates["nulls"] > 0,
            **rules(self.timezone),
        }

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the usual one and one of a zone with summer time and all parts."""
        every = ["elapsed", "year", "month", "day", "weekday", "hour", "minute", "second"]
        return cls.revive({}), cls.revive({"timezone": "Europe/Berlin", "parts": every})

    @classmethod
    def block(cls, builder: Builder, columns: Sequence[FittedColumn]) -> Block:
        """Append one calendar for all columns of one zone and one choice of parts."""
        from mlspec.engine.graph.blocks import columns_of
        from mlspec.engine.graph.calendar import Calendar

        groups: dict[tuple[str | None, tuple[Part, ...]], list[FittedColumn]] = {}
        for column in columns:
            assert isinstance(column.feature, cls)
            groups.setdefault((column.feature.timezone, column.feature.parts), []).append(column)
        rows: list[str] = []
        names: list[str] = []
        for (_, parts), group in groups.items():
            calendar = Calendar.of(builder, group)
            for part in parts:
                for word, tensor in calendar.part(part).items():
                    rows.append(tensor)
                    names += [f"{column.name} {word}" for column in group]
            gaps = calendar.gaps()
            if gaps is not None:
                rows.append(gaps)
                names += [f"{column.name} is null" for column in group if column.state["gaps"]]
        return Block(numbers=columns_of(builder, rows), number_names=tuple(names))
