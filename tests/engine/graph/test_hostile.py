"""The runtime's hostile rows: all legal, all the same each time, and as nasty as they say."""

from __future__ import annotations

import pyarrow as pa

from mlspec.engine.door import to_tensors
from mlspec.engine.graph.hostile import LONG, hostile_rows
from tests.hostile import INPUTS, legal, refused

KNOWN = {"text": ["caf\u00e9", "b"], "word": ["yes", "nein"], "code": ["1", "2"], "flag": ["true", "false"]}


def bits(rows: pa.RecordBatch) -> bytes:
    """Return rows as bytes, for NaN equals nothing."""
    return rows.serialize().to_pybytes()


def test_hostile_rows_pass_the_door_and_are_the_same_each_time() -> None:
    rows = hostile_rows(INPUTS, KNOWN)
    assert rows.schema.names == [item.name for item in INPUTS]
    assert bits(rows) == bits(hostile_rows(INPUTS, KNOWN))
    to_tensors(rows, INPUTS)
    assert all(not column[0].is_valid for column in rows.columns)
    assert {str(kind) for kind in rows.schema.types} == {"double", "string", "timestamp[ms, tz=UTC]"}


def test_hostile_rows_hold_what_they_must() -> None:
    rows = hostile_rows(INPUTS, KNOWN)
    texts = rows.column("text").to_pylist()
    assert {"", "NaN", "caf\u00e9", "cafe\u0301", "CAF\u00c9", "B", None} <= set(texts)
    assert max(len(text) for text in texts if text) == LONG
    assert "9007199254740993" in rows.column("code").to_pylist()
    numbers = rows.column("number").to_pylist()
    assert 1.7976931348623157e308 in numbers and "-0.0" in [str(number) for number in numbers]


def test_few_columns_and_nothing_known_work() -> None:
    for item in INPUTS:
        to_tensors(hostile_rows([item], {}), [item])
    assert hostile_rows([], {}).num_columns == 0


def test_the_generator_of_the_tests_is_deterministic_and_large() -> None:
    assert bits(legal()) == bits(legal())
    assert bits(legal()) != bits(legal(seed=1))
    assert legal().num_rows == 10_000
    assert max(len(text) for text in legal().column("text").to_pylist() if text) == 2**20
    assert len({case.name for case in refused()}) == len(refused())
    assert all(isinstance(case.column, pa.Array) for case in refused())
