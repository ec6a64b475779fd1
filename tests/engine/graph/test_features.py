"""The feature graph as a whole: fitting, files, odd shapes."""

from __future__ import annotations

import json
from pathlib import Path

import ibis
import numpy as np
import onnx
import pyarrow as pa
import pytest

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.graph.features import (
    build_features,
    fit_features,
    input_columns,
    read_features,
    shape,
    write_features,
)
from mlspec.engine.graph.session import Session
from mlspec.errors import StepError
from mlspec.sdk.slot import Slot
from tests.hostile import INPUTS, fitted, legal, options, training, types


def test_a_fit_is_plain_json_and_the_same_each_time() -> None:
    one, two = fitted(), fitted()
    states = [json.dumps(column.state, allow_nan=False) for column in one]
    assert states == [json.dumps(column.state) for column in two]
    assert build_features(one).SerializeToString(deterministic=True) == build_features(two).SerializeToString(
        deterministic=True
    )


def test_the_order_of_rows_does_not_change_the_graph() -> None:
    table = training()
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    graphs = [build_features(fit_features(ibis.memtable(rows), options())) for rows in (table, shuffled)]
    assert graphs[0] == graphs[1]


def test_all_columns_stream_by_twice_and_each_set_of_values_takes_one_query(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = ibis.expr.types.Table
    asked, read = [], []
    run, stream = kind.to_pyarrow, kind.to_pyarrow_batches
    monkeypatch.setattr(kind, "to_pyarrow", lambda self, *a, **k: asked.append(self) or run(self, *a, **k))
    monkeypatch.setattr(
        kind, "to_pyarrow_batches", lambda self, *a, **k: read.append(self) or stream(self, *a, **k)
    )
    fitted()
    assert len(read) == 2
    assert len(asked) == 1 + sum(feature.counts() for feature in options().values())


def test_missing_values_are_counted_whether_or_not_a_query_asks_for_them() -> None:
    table = training()
    assert {column.name: column.nulls for column in fitted()} == {
        name: table.column(name).to_pandas().isna().sum() for name in options()
    }


def test_files_come_back_as_they_were_written(tmp_path: Path) -> None:
    columns = fitted()
    write_features(tmp_path / "a", columns, types())
    write_features(tmp_path / "b", fitted(), types())
    for name in ("features.onnx", "features.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    inputs, known = read_features(tmp_path / "a")
    assert inputs == input_columns(columns, types()) == INPUTS
    assert known == shape(columns)
    answers = Session(tmp_path / "a" / "features.onnx", inputs).run(legal(rows=10))
    assert answers[NUMBERS].shape == (10, known.numbers)
    assert answers[CODES].shape == (10, len(known.sizes))


def test_the_graph_uses_standard_operators_of_one_opset_and_names_no_path() -> None:
    model = build_features(fitted())
    assert {item.domain: item.version for item in model.opset_import} == {"": 20, "ai.onnx.ml": 4}
    assert model.ir_version == 10
    assert not {"StringNormalizer", "Sin", "Cos"} & {node.op_type for node in model.graph.node}
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    inner = {name for node in model.graph.node for name in node.output}
    assert all(name.startswith("mlspec/") for name in inner)
    onnx.checker.check_model(model, full_check=True)


def test_codes_stay_within_their_sizes() -> None:
    columns = fitted()
    codes = Session(build_features(columns).SerializeToString(), INPUTS).run(legal(seed=9))[CODES]
    assert (codes >= 0).all()
    assert (codes < np.array(shape(columns).sizes)).all()


@pytest.mark.parametrize(
    "names", [["number"], ["text"], ["flag"], ["moment"], ["text", "number"]], ids=" and ".join
)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_tables_of_few_columns_and_rows_work(names: list[str], rows: int) -> None:
    table = training().select(names)
    columns = fit_features(ibis.memtable(table), {name: options()[name] for name in names})
    known, inputs = shape(columns), input_columns(columns, types())
    answers = Session(build_features(columns).SerializeToString(), inputs).run(
        legal(rows=10).slice(0, rows).select(names)
    )
    assert answers[NUMBERS].shape == (rows, known.numbers)
    assert answers[CODES].shape == (rows, len(known.sizes))
    assert known.numbers == len(known.number_names)


def test_no_training_rows_give_a_graph_that_answers() -> None:
    columns = fit_features(ibis.memtable(training(rows=50).slice(0, 0)), options())
    answers = Session(build_features(columns).SerializeToString(), INPUTS).run(legal(rows=50))
    assert np.isfinite(answers[NUMBERS]).all()
    assert set(answers[CODES].ravel().tolist()) <= {0, 1}


def test_column_names_may_be_anything() -> None:
    names = ["a b/c", "\U0001f600", "x\ny", "rows", "x.nulls", "x:median", 'say "so"', "'"]
    table = pa.table({name: [1.0, None, 3.0] for name in names})
    columns = fit_features(ibis.memtable(table), {name: Slot("feature").choose("number") for name in names})
    inputs = input_columns(columns, dict.fromkeys(names, "number"))
    answers = Session(build_features(columns).SerializeToString(), inputs).run(table.to_batches()[0])
    np.testing.assert_allclose(
        answers[NUMBERS][:, : len(names)], np.array([[-1], [0], [1]]) * np.ones(len(names))
    )


def test_a_missing_column_and_no_columns_are_refused() -> None:
    with pytest.raises(StepError, match="no column 'other'"):
        fit_features(ibis.memtable(training(rows=5)), {"other": Slot("feature").choose("number")})
    with pytest.raises(StepError, match="at least one feature"):
        build_features([])


@pytest.mark.parametrize(
    ("name", "held", "words"),
    [
        ("number", "string", "holds 'string', and a number takes number or integer"),
        ("number", "boolean", "holds 'boolean'"),
        ("text", "number", "holds 'number', and a category takes string or integer or boolean"),
        ("moment", "integer", "a datetime takes datetime"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused(name: str, held: str, words: str) -> None:
    with pytest.raises(StepError, match=words) as caught:
        input_columns(fitted(), types() | {name: held})
    assert caught.value.where == f"data.features.{name}"
