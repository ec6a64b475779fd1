"""Times, held to Python's own calendar and zones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from mlspec.sdk.slot import Slot
from tests.encoded import encoded
from tests.hostile import legal

CIRCLES = {
    "month": (1, 12),
    "day": (1, 31),
    "weekday": (0, 7),
    "hour": (0, 24),
    "minute": (0, 60),
    "second": (0, 60),
}
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
)


def clock(moments: Sequence[dt.datetime | None], zone: str) -> list[dt.datetime | None]:
    return [None if moment is None else moment.astimezone(ZoneInfo(zone)) for moment in moments]


def waves(moments: Sequence[dt.datetime | None], part: str) -> np.ndarray:
    """Return sine and cosine of a part as Python tells it, `[rows, 2]`; zeros for None."""
    low, size = CIRCLES[part]
    found = np.zeros((len(moments), 2))
    for row, moment in enumerate(moments):
        if moment is not None:
            number = moment.weekday() if part == "weekday" else getattr(moment, part)
            angle = 2 * np.pi * (number - low) / size
            found[row] = np.sin(angle), np.cos(angle)
    return found


def assert_parts(
    found: dict[str, np.ndarray], moments: Sequence[dt.datetime | None], parts: Sequence[str]
) -> None:
    for part in parts:
        expected = waves(moments, part)
        np.testing.assert_allclose(found[f"x {part} sin"], expected[:, 0], atol=1e-7, rtol=0)
        np.testing.assert_allclose(found[f"x {part} cos"], expected[:, 1], atol=1e-7, rtol=0)


def within_python(column: pa.Array) -> pa.Array:
    """Leave out the first and last day there is, which other zones put outside of Python's calendar."""
    values = pd.Series(column.cast(pa.int64()).to_numpy(zero_copy_only=False))
    inside = values.isna() | values.between(-62_135_000_000_000_000, 253_402_000_000_000_000)
    return column.filter(pa.array(inside.to_numpy()))


@pytest.mark.parametrize("zone", ZONES)
def test_parts_equal_pythons_on_hostile_rows(zone: str) -> None:
    column = within_python(legal().column("moment"))
    column = column.filter(pa.array([v is None or 1900 < v.year < 2100 for v in column.to_pylist()]))
    option = {"kind": "datetime", "timezone": zone, "parts": tuple(CIRCLES)}
    found, _ = encoded(option, column.slice(0, 500), column, "datetime")
    assert_parts(found, clock(column.to_pylist(), zone), tuple(CIRCLES))
    np.testing.assert_array_equal(found["x is null"], column.is_null().to_numpy(zero_copy_only=False))


def test_the_whole_calendar_of_utc_equals_pythons() -> None:
    column = legal().column("moment")
    found, _ = encoded(
        {"kind": "datetime", "parts": tuple(CIRCLES)}, column.slice(0, 500), column, "datetime"
    )
    assert_parts(found, column.to_pylist(), tuple(CIRCLES))


def test_every_day_of_three_centuries_equals_pythons() -> None:
    days = np.arange(-32_872, 76_700, dtype=np.int32)  # 1880 to 2180
    column = pa.array(days, pa.date32())
    option = {"kind": "datetime", "timezone": "UTC", "parts": ("month", "day", "weekday", "year")}
    found, _ = encoded(option, column, column, "datetime")
    moments = [dt.datetime(1970, 1, 1) + dt.timedelta(days=int(day)) for day in days]
    assert_parts(found, moments, ("month", "day", "weekday"))
    years = np.array([moment.year for moment in moments], float)
    np.testing.assert_allclose(np.diff(found["x year"]) > 0, np.diff(years) > 0)
    assert np.corrcoef(found["x year"], years)[0, 1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("zone", ZONES[1:])
def test_every_change_of_the_clock_is_met_to_the_millisecond(zone: str) -> None:
    rules, hour = ZoneInfo(zone), dt.timedelta(hours=1)
    moments, moment = [], dt.datetime(1950, 1, 1, tzinfo=dt.UTC)
    while moment.year < 2040:
        if moment.astimezone(rules).utcoffset() != (moment + hour).astimezone(rules).utcoffset():
            steps = (
                dt.timedelta(minutes=minute, milliseconds=ms) for minute in range(61) for ms in (-1, 0, 1)
            )
            moments += [moment + step for step in steps]
        moment += hour
    column = pa.array(moments, pa.timestamp("ms", "UTC"))
    found, _ = encoded(
        {"kind": "datetime", "timezone": zone, "parts": ("hour", "minute", "day")}, column, column, "datetime"
    )
    assert_parts(found, clock(moments, zone), ("hour", "minute", "day"))


def test_naive_times_and_dates_are_read_on_the_zones_clock() -> None:
    batch = legal()
    naive, zone = batch.column("local"), "Australia/Lord_Howe"
    option = {"kind": "datetime", "timezone": zone, "parts": ("hour", "minute", "weekday")}
    found, _ = encoded(option, naive.cast(pa.timestamp("ms", "UTC")), naive, "datetime")
    existing = []
    for moment in naive.to_pylist():
        # a time that the clock skips comes out as much later as it skips
        local = moment and moment.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).astimezone(ZoneInfo(zone))
        existing.append(local)
    assert_parts(found, existing, ("hour", "minute", "weekday"))


def test_elapsed_is_the_standardised_moment() -> None:
    train = legal(seed=1).column("moment")
    train = train.filter(
        pa.array([value is not None and 1950 < value.year < 2050 for value in train.to_pylist()])
    )
    found, _ = encoded({"kind": "datetime", "parts": ("elapsed",)}, train, train, "datetime")
    seconds = train.cast(pa.int64()).to_numpy() / 1e6
    np.testing.assert_allclose(
        found["x elapsed"], (seconds - seconds.mean()) / seconds.std(), rtol=1e-5, atol=1e-6
    )


def test_null_is_the_centre_of_each_circle_and_the_mean_of_each_line() -> None:
    train = pa.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 6, 1, tzinfo=dt.UTC)])
    found, known = encoded(
        {"kind": "datetime", "parts": ("elapsed", "year", "month", "hour")}, train, pa.nulls(1), "datetime"
    )
    assert all(value.tolist() == [0] for value in found.values())
    assert "x is null" not in known.number_names


def test_columns_of_two_zones_stand_side_by_side() -> None:
    import ibis

    from mlspec.engine.builder import NUMBERS
    from mlspec.engine.graph.features import build_features, fit_features, input_columns, shape
    from mlspec.engine.graph.session import Session

    moment = pa.array([dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)] * 2, pa.timestamp("ms", "UTC"))
    table = pa.table({"a": moment, "b": moment, "c": moment})
    zones = {"a": "UTC", "b": "Asia/Tokyo", "c": "UTC"}
    features = {
        name: Slot("feature").choose({"kind": "datetime", "timezone": zone, "parts": ("hour",)})
        for name, zone in zones.items()
    }
    columns = fit_features(ibis.memtable(table), features)
    session = Session(
        build_features(columns).SerializeToString(), input_columns(columns, dict.fromkeys(zones, "datetime"))
    )
    numbers = session.run(table.to_batches()[0])[NUMBERS][0]
    found = dict(zip(shape(columns).number_names, numbers.tolist(), strict=True))
    assert found["a hour cos"] == found["c hour cos"] == -1
    assert found["b hour cos"] == pytest.approx(np.cos(2 * np.pi * 21 / 24))


@pytest.mark.parametrize(
    "option",
    [{"timezone": "Mars/Olympus"}, {"parts": ()}, {"parts": ("hour", "hour")}, {"parts": ("century",)}],
)
def test_senseless_options_are_refused(option: dict) -> None:
    with pytest.raises(ValidationError):
        Slot("feature").choose({"kind": "datetime", **option})
