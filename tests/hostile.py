"""The shared hostile generator: rows that must pass the door and come out right, and what it must refuse."""

from __future__ import annotations

import datetime as dt
import decimal
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from mlspec.engine.door import to_tensors
from mlspec.engine.graph.features import fit_features
from mlspec.sdk.contract import InputColumn, JsonType
from mlspec.sdk.feature import Feature, FittedColumn
from mlspec.sdk.slot import Slot

ROWS = 10_000
ZONE = "Europe/Berlin"
INPUTS = (
    InputColumn(name="number", kind="number", tensor="float64", type="number"),
    InputColumn(name="whole", kind="number", tensor="float64", type="number"),
    InputColumn(name="text", kind="category", tensor="string", type="string"),
    InputColumn(name="code", kind="category", tensor="string", type="integer"),
    InputColumn(name="flag", kind="binary", tensor="string", type="boolean"),
    InputColumn(name="word", kind="binary", tensor="string", type="string"),
    InputColumn(name="moment", kind="datetime", tensor="float64", type="datetime", timezone=ZONE),
    InputColumn(
        name="local", kind="datetime", tensor="float64", type="datetime", timezone="Australia/Lord_Howe"
    ),
    InputColumn(name="day", kind="datetime", tensor="float64", type="datetime", timezone="UTC"),
)
NUMBERS = np.array([
    np.nan, 0.0, -0.0, 1.0, -1.0, 0.1, 5e-324, -5e-324, 1e-300, 2.0**53, -(2.0**53), 2.0**53 + 2, 1e15,
    3.5e38, -3.5e38,
    1e300,    1e308, -1e308, 1.7976931348623157e308, -1.7976931348623157e308,
])  # fmt: skip
TEXTS = (
    "", " ", "a", "b", "A", "a ", "caf\u00e9", "cafe\u0301", "\u1e9b\u0323", "\u1e69", "s\u0323\u0307",
    "s\u0307\u0323", "NaN", "null",    "None", "nan", "0", "-0", "\ufffd", "\ufeff", "\ufdd1", "\U0001f600",
    "\u212b", "\u00c5", "\ub098", "\u1102\u1161", "\n", "\t",
)  # fmt: skip
LONG = "x" * 2**20


@dataclass(frozen=True)
class Refusal:
    """A column that the door must refuse, the rows to be named, and a word of the reason."""

    name: str
    column: pa.Array
    input: InputColumn
    rows: tuple[int, ...]
    reason: str


def legal(seed: int = 0, rows: int = ROWS) -> pa.RecordBatch:
    """Return rows that must pass, equal for equal seeds: ordinary values mixed with the worst ones."""
    rng = np.random.default_rng(seed)
    number = np.where(rng.random(rows) < 0.3, rng.choice(NUMBERS, rows), rng.normal(40, 12, rows))
    whole = np.where(
        rng.random(rows) < 0.1, rng.choice([2**53, -(2**53), 0], rows), rng.integers(0, 99, rows)
    )
    text = [TEXTS[place] if place < len(TEXTS) else f"unseen {place}" for place in rng.integers(0, 40, rows)]
    text[rows // 2] = LONG
    code = np.where(
        rng.random(rows) < 0.05,
        rng.choice([2**53 + 1, -(2**63), 2**63 - 1], rows),
        rng.integers(-3, 30, rows),
    )
    flag, word = (
        rng.random(rows) < 0.4,
        np.array(["yes", "nein \u00e9", "nein e\u0301"])[rng.integers(0, 3, rows)],
    )
    columns = {
        "number": pa.array(number, mask=rng.random(rows) < 0.1),
        "whole": pa.array(whole, pa.int64(), mask=rng.random(rows) < 0.1),
        "text": pa.array(text, pa.string(), mask=rng.random(rows) < 0.1),
        "code": pa.array(code, pa.int64(), mask=rng.random(rows) < 0.1),
        "flag": pa.array(flag, mask=rng.random(rows) < 0.1),
        "word": pa.array(word, pa.string(), mask=rng.random(rows) < 0.1),
        "moment": pa.array(_moments(rng, rows, ZONE), pa.timestamp("us", "UTC"), mask=rng.random(rows) < 0.1),
        "local": pa.array(_naive(rng, rows), pa.timestamp("ms"), mask=rng.random(rows) < 0.1),
        "day": pa.array(_days(rng, rows), pa.date32(), mask=rng.random(rows) < 0.1),
    }
    return pa.RecordBatch.from_pydict(columns)


def _moments(rng: np.random.Generator, rows: int, zone: str) -> np.ndarray:
    """Return microseconds: anywhere of 1900 to 2099, changes of the clock, ends of the calendar."""
    anywhere = rng.integers(_us(1900), _us(2100), rows)
    changes = np.array(
        [_us(2023, 3, 26, 1), _us(2023, 10, 29, 1), _us(1980, 4, 6, 1), _us(1945, 5, 24), _us(2024, 2, 29)]
    )
    near = rng.choice(changes, rows) + rng.choice([-1, 0, 1, -1_800_000_000, 1_800_000_000], rows)
    ends = rng.choice([_us(1), _us(9999, 12, 31) + 86_399_999_999, -1, 0, _us(1899, 12, 31)], rows)
    choice = rng.random(rows)
    return np.where(choice < 0.5, anywhere, np.where(choice < 0.97, near, ends))


def _naive(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return wall-clock milliseconds, many in hours that Lord Howe skips or repeats by half."""
    anywhere = rng.integers(_us(1985), _us(2037), rows) // 1000
    gap, repeat = _us(2023, 10, 1, 2) // 1000, _us(2023, 4, 2, 1, 30) // 1000
    near = rng.choice([gap, repeat], rows) + rng.choice([-1, 0, 1, 900_000, 1_799_999, 1_800_000], rows)
    return np.where(rng.random(rows) < 0.5, anywhere, near)


def _days(rng: np.random.Generator, rows: int) -> np.ndarray:
    leap = [(dt.date(year, 2, 29) - dt.date(1970, 1, 1)).days for year in (1904, 1972, 2000, 2024, 2096)]
    return np.where(
        rng.random(rows) < 0.3, rng.choice(leap, rows), rng.integers(-25_567, 47_481, rows)
    ).astype(np.int32)


def _us(*parts: int) -> int:
    return (dt.datetime(*(*parts, 1, 1)[: max(3, len(parts))]) - dt.datetime(1970, 1, 1)) // dt.timedelta(
        microseconds=1
    )


def broken_text(*values: bytes | None) -> pa.Array:
    """Return a text column of bytes that need not be UTF-8."""
    raw = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())


def refused() -> tuple[Refusal, ...]:
    """Return every sort of value that must not pass, each in a column of its own among good ones."""
    number, text, code, flag = INPUTS[0], INPUTS[2], INPUTS[3], INPUTS[4]
    day = INPUTS[8].model_copy(update={"timezone": None})
    surrogate = broken_text(b"good", b"\xed\xa0\x80", None, b"x\xed\xbf\xbf")
    naive = pa.array([None, dt.datetime(2024, 1, 1), dt.datetime(1960, 1, 1)], pa.timestamp("us"))
    decimals = pa.array([decimal.Decimal("1.5"), decimal.Decimal(2**53 + 1), None], pa.decimal128(38, 2))
    return (
        Refusal("infinity", pa.array([1.0, np.inf, None, -np.inf, np.nan]), number, (1, 3), "infinity"),
        Refusal("float32 infinity", pa.array([np.inf, 1.0], pa.float32()), number, (0,), "infinity"),
        Refusal("text for a number", pa.array(["1", None, "x"]), number, (0, 2), "text where a number"),
        Refusal(
            "coded text for a number",
            pa.array(["1", None]).dictionary_encode(),
            number,
            (0,),
            "text where a number",
        ),
        Refusal(
            "boolean for a number",
            pa.array([True, None, False]),
            number,
            (0, 2),
            "true or false where a number",
        ),
        Refusal("time for a number", pa.array([dt.date(2024, 1, 1)]), number, (0,), "a time where a number"),
        Refusal("2^53 + 1", pa.array([2**53, 2**53 + 1, None, -(2**53) - 1, 7]), number, (1, 3), "2^53"),
        Refusal("unsigned", pa.array([2**53, 2**64 - 1], pa.uint64()), number, (1,), "2^53"),
        Refusal("decimal", decimals, number, (1,), "2^53"),
        Refusal(
            "float for a category",
            pa.array([1.5, None, 2.0]),
            text,
            (0, 2),
            "a number with a fraction where text",
        ),
        Refusal("float for an integer", pa.array([1.0, None]), code, (0,), "where an integer"),
        Refusal(
            "coded float", pa.array([1.0, None, 1.0]).dictionary_encode(), code, (0, 2), "where an integer"
        ),
        Refusal("decimal fraction", pa.array([decimal.Decimal("1.5")]), code, (0,), "where an integer"),
        Refusal("integer for text", pa.array([5, None]), text, (0,), "an integer where text"),
        Refusal(
            "text for an integer",
            pa.array(["5", "05", "x", "", None, "-0", "1.0"]),
            code,
            (1, 2, 3, 5, 6),
            "an integer",
        ),
        Refusal("boolean for text", pa.array([True, None]), text, (0,), "true or false where text"),
        Refusal("text for a boolean", pa.array(["true", "True", None, "1"]), flag, (1, 3), "true or false"),
        Refusal("integer for a boolean", pa.array([1, None]), flag, (0,), "an integer where true or false"),
        Refusal("NUL", pa.array(["a", "a\0b", None, "\0"]), text, (1, 3), "NUL"),
        Refusal("coded NUL", pa.array(["a", "a\0b", None, "a\0b"]).dictionary_encode(), text, (1, 3), "NUL"),
        Refusal("lone surrogate", surrogate, text, (1, 3), "lone surrogate"),
        Refusal("latin-1", broken_text(b"caf\xe9", b"ok"), text, (0,), "not UTF-8"),
        Refusal("the sign for null", pa.array(["a", "\ufdd0", None]), text, (1,), "U+FDD0"),
        Refusal("bytes", pa.array([b"a", None]), text, (0,), "binary"),
        Refusal("naive time", naive, day, (1, 2), "without a zone"),
        Refusal("date without a zone", pa.array([None, dt.date(2024, 1, 1)]), day, (1,), "without a zone"),
        Refusal("text for a time", pa.array(["2024-01-01", None]), day, (0,), "text where a time"),
        Refusal("number for a time", pa.array([0, None]), day, (0,), "an integer where a time"),
        Refusal("time of day", pa.array([dt.time(1, 2), None]), day, (0,), "where a time"),
    )


def options() -> dict[str, Feature]:
    """Return what each of the columns of `INPUTS` is, with options that leave few paths untried."""
    every = ("elapsed", "year", "month", "day", "weekday", "hour", "minute", "second")
    told: dict[str, dict[str, Any]] = {
        "number": {"kind": "number", "clip": (-100.0, 1000.0), "impute": "median"},
        "whole": {"kind": "number"},
        "text": {"kind": "category", "min_count": 5, "max_size": 20},
        "code": {"kind": "category"},
        "flag": {"kind": "binary"},
        "word": {"kind": "binary", "positive": "yes"},
        "moment": {"kind": "datetime", "timezone": ZONE, "parts": every},
        "local": {
            "kind": "datetime",
            "timezone": "Australia/Lord_Howe",
            "parts": ("hour", "minute", "weekday"),
        },
        "day": {"kind": "datetime", "timezone": "UTC"},
    }
    return {name: Slot("feature").choose(option) for name, option in told.items()}


def types() -> dict[str, JsonType]:
    """Return what each raw column holds."""
    return {item.name: item.type for item in INPUTS}


def training(seed: int = 1, rows: int = 4_000) -> pa.Table:
    """Return training rows as reading leaves them: legal ones, times as instants."""
    batch = legal(seed, rows)
    tensors = to_tensors(batch, INPUTS)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name in ("moment", "local", "day"):
        whole = pa.array(tensors[name], from_pandas=True).cast(pa.int64())
        columns[name] = whole.cast(pa.timestamp("ms")).cast(pa.timestamp("us", "UTC"))
    return pa.table(columns)


def fitted(seed: int = 1, rows: int = 4_000) -> tuple[FittedColumn, ...]:
    """Return the columns of `options()`, fitted on `training()`."""
    return fit_features(ibis.memtable(training(seed, rows)), options())
