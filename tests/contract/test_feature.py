"""What every kind of feature must do; a new kind is held to this by existing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import ibis
import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mlspec import registry
from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.door import to_tensors
from mlspec.engine.graph.features import build_features, fit_features, input_columns, shape
from mlspec.engine.graph.hostile import hostile_rows
from mlspec.engine.graph.session import Session
from mlspec.sdk.contract import InputColumn, JsonType
from mlspec.sdk.feature import Feature, FittedColumn
from mlspec.sdk.fields import parameters
from tests.hostile import legal, training

HOLDING: dict[JsonType, str] = {
    "number": "number",
    "integer": "code",
    "string": "word",
    "boolean": "flag",
    "datetime": "moment",
}
"""A hostile column of each type that any kind can be fitted on."""

KNOWN: dict[JsonType, tuple[str, ...]] = {"string": ("yes", "nein \u00e9"), "integer": ("0", "1")}


def cases() -> Iterator[tuple[Feature, JsonType]]:
    """Yield each example of each kind with each type it takes."""
    for kind in registry.kinds("feature"):
        for example in registry.find("feature", kind).examples():
            for held in example.takes:
                yield example, held


CASES = [pytest.param(*case, id=f"{case[0].kind} {place} {case[1]}") for place, case in enumerate(cases())]


def train(held: JsonType) -> pa.Array:
    """Return training rows; of integers two values only, so that any kind fits."""
    column = training().column(HOLDING[held]).combine_chunks()
    return pc.if_else(pc.greater(column, 10), 1, 0) if held == "integer" else column


def prepared(feature: Feature, held: JsonType) -> tuple[tuple[FittedColumn, ...], tuple[InputColumn, ...]]:
    """Fit the feature on two columns at once, for a block serves all of its kind."""
    one = train(held)
    table = pa.table({"x": one, "y": one.slice(0, len(one))})
    columns = fit_features(ibis.memtable(table), {"x": feature, "y": feature})
    return columns, input_columns(columns, {"x": held, "y": held})


def batch(column: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"x": column, "y": column.take(pa.array(np.arange(len(column))[::-1]))})


def asked(held: JsonType, inputs: tuple[InputColumn, ...]) -> pa.Array:
    """Return hostile values; a whole number as a number must stay within 2^53."""
    if held == "integer" and inputs[0].tensor == "float64":
        return legal().column("whole")
    return legal().column(HOLDING[held])


@pytest.mark.parametrize(("feature", "held"), CASES)
def test_answers_are_finite_within_their_sizes_and_of_the_told_shape(
    feature: Feature, held: JsonType
) -> None:
    columns, inputs = prepared(feature, held)
    known = shape(columns)
    rows = batch(asked(held, inputs))
    found = Session(build_features(columns).SerializeToString(), inputs).run(rows)
    assert found[NUMBERS].shape == (rows.num_rows, known.numbers)
    assert np.isfinite(found[NUMBERS]).all()
    assert found[CODES].shape == (rows.num_rows, len(known.sizes))
    assert ((found[CODES] >= 0) & (found[CODES] < np.array(known.sizes, int))).all()
    assert len(set(known.number_names)) == known.numbers
    assert known.numbers + len(known.sizes) > 0


@pytest.mark.parametrize(("feature", "held"), CASES)
def test_the_cut_graph_equals_the_whole_one(feature: Feature, held: JsonType) -> None:
    columns, inputs = prepared(feature, held)
    content = build_features(columns).SerializeToString()
    rows = hostile_rows(inputs, {"x": KNOWN.get(held, ())})
    cut = Session(content, inputs).run(rows)
    whole = onnxruntime.InferenceSession(content).run([NUMBERS, CODES], to_tensors(rows, inputs))
    assert [cut[NUMBERS].tobytes(), cut[CODES].tobytes()] == [tensor.tobytes() for tensor in whole]


@pytest.mark.parametrize(("feature", "held"), CASES)
def test_a_row_alone_answers_as_in_a_batch(feature: Feature, held: JsonType) -> None:
    columns, inputs = prepared(feature, held)
    session = Session(build_features(columns).SerializeToString(), inputs)
    rows = batch(asked(held, inputs).slice(0, 40))
    together = session.run(rows)
    alone = [session.run(rows.slice(row, 1)) for row in range(rows.num_rows)]
    for name in (NUMBERS, CODES):
        np.testing.assert_array_equal(np.concatenate([one[name] for one in alone]), together[name])
        assert session.run(rows.slice(0, 0))[name].shape == (0, together[name].shape[1])


@pytest.mark.parametrize(("feature", "held"), CASES)
def test_two_columns_of_a_kind_do_not_mix(feature: Feature, held: JsonType) -> None:
    columns, inputs = prepared(feature, held)
    rows = batch(asked(held, inputs).slice(0, 300))
    both = Session(build_features(columns).SerializeToString(), inputs).run(rows)
    names, codes = shape(columns).number_names, shape(columns).code_names
    for place, column in enumerate(columns):
        single, known = [column], shape([column])
        one = Session(build_features(single).SerializeToString(), inputs[place : place + 1]).run(
            rows.select([column.name])
        )
        for at, name in enumerate(known.number_names):
            np.testing.assert_array_equal(one[NUMBERS][:, at], both[NUMBERS][:, names.index(name)])
        for at, name in enumerate(known.code_names):
            np.testing.assert_array_equal(one[CODES][:, at], both[CODES][:, codes.index(name)])


@pytest.mark.parametrize(("feature", "held"), CASES)
def test_state_and_options_are_plain_data(feature: Feature, held: JsonType) -> None:
    columns, _ = prepared(feature, held)
    for column in columns:
        state = json.loads(json.dumps(column.state, allow_nan=False))
        again = FittedColumn(column.name, type(feature).revive(parameters(feature)), state)
        assert again == column
        assert build_features([again]) == build_features([column])


@pytest.mark.parametrize(("feature", "held"), CASES)
def test_nothing_at_all_can_be_fitted(feature: Feature, held: JsonType) -> None:
    nothing = pa.table({"x": train(held).slice(0, 0)})
    columns = fit_features(ibis.memtable(nothing), {"x": feature})
    inputs = input_columns(columns, {"x": held})
    rows = pa.RecordBatch.from_pydict({"x": asked(held, inputs).slice(0, 100)})
    found = Session(build_features(columns).SerializeToString(), inputs).run(rows)
    assert np.isfinite(found[NUMBERS]).all()
