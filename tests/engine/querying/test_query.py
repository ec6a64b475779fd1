"""Queries in DuckDB, held against the ONNX file that they are written from."""

from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pytest

from mlspec.engine.builder import Builder
from mlspec.engine.graph.features import fit_features
from mlspec.engine.graph.session import Session
from mlspec.engine.querying.ask import Ask, refused
from mlspec.engine.querying.query import query
from mlspec.engine.querying.term import Terms
from mlspec.engine.querying.trace import trace
from mlspec.errors import StepError
from mlspec.sdk.contract import Contract, InputColumn
from mlspec.sdk.slot import Slot
from tests import hostile, queried


def asked(joined, rows: pa.RecordBatch, table: str = "rows", keep: tuple[str, ...] = ()):
    made = query(joined.model, joined.contract, table, keep)
    return Ask(made.text("duckdb"), table, keep).run(rows)


@pytest.mark.parametrize("kind", queried.TARGETS)
@pytest.mark.parametrize("model", queried.MODELS)
def test_every_hostile_row_is_answered_as_the_file_does(model: str, kind: str, tmp_path: Path) -> None:
    joined, rows = queried.joined(model, kind, tmp_path), hostile.legal(seed=3)
    queried.held(asked(joined, rows), joined, rows)


@pytest.mark.parametrize("calibration", queried.CALIBRATED)
def test_a_calibration_is_part_of_the_query(calibration: str, tmp_path: Path) -> None:
    joined = queried.joined("gradient_boosting", "binary", tmp_path, calibration=calibration)
    plain = queried.joined("gradient_boosting", "binary", tmp_path)
    rows = hostile.legal(seed=4, rows=1_000)
    queried.held(asked(joined, rows), joined, rows)
    assert not asked(joined, rows).equals(asked(plain, rows))


def test_encoded_columns_are_those_of_the_feature_graph_bit_for_bit(tmp_path: Path) -> None:
    joined, rows = queried.joined("linear", "number", tmp_path), hostile.legal(seed=5)
    made = query(joined.model, joined.contract, "rows", ())
    found = Ask(made.encoded_text("duckdb"), "rows", ()).run(rows)
    model = onnx.ModelProto.FromString(joined.model.SerializeToString())
    for name, kind in (("mlspec/numbers", onnx.TensorProto.FLOAT), ("mlspec/codes", onnx.TensorProto.INT64)):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, [None, None]))
    expected = Session(model.SerializeToString(), joined.contract.inputs).run(rows)
    for word, name in (("number", "mlspec/numbers"), ("code", "mlspec/codes")):
        assert expected[name].shape[1] > 0
        for place, column in enumerate(expected[name].T):
            assert (found.column(f"{word} {place}").to_numpy().astype(column.dtype) == column).all()


REFUSED = [case for case in hostile.refused() if case.name not in ("lone surrogate", "latin-1")]
"""What a database can hold: its text is always UTF-8."""


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_the_door_refuses_has_no_answer(case: hostile.Refusal) -> None:
    """A value's row is refused, or DuckDB takes no such column for this query at all."""
    import duckdb

    builder = Builder("tiny")
    builder.input(case.input.name, case.input.tensor)
    builder.output(builder.constant(np.array([0.5])), "value", "float64", ("rows",))
    contract = Contract(name="t", target=queried.TARGETS["number"], inputs=(case.input,), outputs=())
    model = builder.model()
    for name in ("mlspec/numbers", "mlspec/codes"):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((1, 0), np.float32), name))
    made = query(model, contract, "rows", None)
    column = case.column.dictionary_decode() if pa.types.is_dictionary(case.column.type) else case.column
    rows = pa.RecordBatch.from_arrays([column], names=[case.input.name])
    try:
        found = Ask(made.text("duckdb"), "rows", None).run(rows)
    except duckdb.Error:
        return
    reasons = refused(found)
    assert tuple(np.flatnonzero([reason is not None for reason in reasons])) == case.rows
    assert all(f"'{case.input.name}'" in reason for reason in reasons if reason)
    assert [value is None for value in found.column("value").to_pylist()] == [bool(r) for r in reasons]


def large_vocabulary(size: int):
    """A column of many values, some of which are texts that end a literal."""
    import ibis

    values = [f"value {place}" for place in range(size)] + ["it's", "a\\", "'; DROP TABLE rows; --", "\\'"]
    table = ibis.memtable(pa.table({"text": pa.array(values + values)}))
    return values, fit_features(
        table, {"text": Slot("feature").choose({"kind": "category", "max_size": 100_000})}
    )


def test_thousands_of_categories_are_found(tmp_path: Path) -> None:
    values, fitted = large_vocabulary(5_000)
    inputs = (InputColumn(name="text", kind="category", tensor="string", type="string"),)
    joined = _linear(fitted, inputs, tmp_path)
    rows = pa.RecordBatch.from_pydict({"text": pa.array([*values[::7], *values[-4:], "unseen", None, ""])})
    queried.held(asked(joined, rows), joined, rows)


def _linear(fitted, inputs, folder: Path):
    import torch
    from safetensors.torch import save_file

    from mlspec import registry
    from mlspec.engine.exporting.join import Parts, join
    from mlspec.engine.graph.features import build_features, shape

    target, plugin = queried.TARGETS["number"], registry.find("model", "linear").revive({})
    module = plugin.module(shape(fitted), target)
    for weight in module.parameters():
        weight.data = torch.tensor(np.random.default_rng(0).normal(0, 1, weight.shape), dtype=torch.float32)
    save_file(module.state_dict(), folder / "weights.safetensors")
    parts = Parts("t", build_features(fitted), inputs, target)
    return join(parts, lambda builder: plugin.append(builder, folder, shape(fitted), target))


@pytest.mark.parametrize(
    "name", ['a" FROM rows; DROP TABLE rows; --', "it's", "a.b", "größe", "\\", "select"]
)
def test_names_of_columns_stay_names(name: str, tmp_path: Path) -> None:
    import ibis

    table = ibis.memtable(pa.table({name: [1.0, 2.0, 4.0]}))
    fitted = fit_features(table, {name: Slot("feature").choose("number")})
    joined = _linear(
        fitted, (InputColumn(name=name, kind="number", tensor="float64", type="number"),), tmp_path
    )
    rows = pa.RecordBatch.from_pydict({name: [1.0, None, 9.0], "key": ["x", "y", "z"]})
    found = asked(joined, rows, table='a"; --.b" x', keep=("key",))
    assert found.column("key").to_pylist() == ["x", "y", "z"]
    queried.held(found, joined, rows.select([name]))
    whole = query(joined.model, joined.contract, "rows", None).text("duckdb")
    assert Ask(whole, "rows", None).run(rows).column_names == [name, "key", "value", "refused"]


def test_a_node_without_sql_is_told_by_its_name() -> None:
    builder = Builder("t")
    builder.output(builder.node("Erf", builder.input("x", "float32")), "y", "float32", ("rows",))
    terms = Terms()
    with pytest.raises(StepError, match="'Erf'"):
        trace(builder.model(), terms, {"x": terms.of("column", value="d0")})


def test_answers_that_one_database_takes_for_one_are_told(tmp_path: Path) -> None:
    joined = queried.joined("linear", "binary", tmp_path)
    with pytest.raises(StepError, match="LABEL"):
        query(joined.model, joined.contract, "rows", ("LABEL",))


def test_a_name_that_postgresql_would_cut_off_is_refused(tmp_path: Path) -> None:
    joined = queried.joined("linear", "binary", tmp_path)
    with pytest.raises(StepError, match="longer than the 63 bytes"):
        query(joined.model, joined.contract, "r" * 64, None).text("postgresql")
