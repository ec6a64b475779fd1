"""The session: the file cut at the codes answers as the whole file does, bit for bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.engine.door import BadRows, to_tensors
from mlspec.engine.graph.features import build_features, input_columns
from mlspec.engine.graph.session import Session
from mlspec.errors import UsageError
from mlspec.sdk.contract import FittedTarget, InputColumn
from tests.hostile import INPUTS, fitted, legal, types
from tests.joined import TARGETS, joined

TEXT = InputColumn(name="text", kind="category", tensor="string", type="string")


def whole(content: bytes, batch: pa.RecordBatch, names: list[str]) -> dict[str, np.ndarray]:
    """Answer with the file as it is, through plain ONNX Runtime."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(names, to_tensors(batch, INPUTS)), strict=True))


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    if left.dtype == object:
        return left.tolist() == right.tolist()
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


@pytest.fixture(scope="module")
def columns():
    return fitted()


@pytest.mark.parametrize("rows", [0, 1, 2, 10_000])
def test_the_cut_feature_graph_equals_the_whole_one(columns, rows: int) -> None:
    content, batch = build_features(columns).SerializeToString(), legal().slice(0, rows)
    found = Session(content, input_columns(columns, types())).run(batch)
    expected = whole(content, batch, [NUMBERS, CODES])
    assert list(found) == [NUMBERS, CODES]
    assert all(same_bits(found[name], expected[name]) for name in expected)
    assert len(found[NUMBERS]) == len(found[CODES]) == rows
    assert np.isfinite(found[NUMBERS]).all()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
@pytest.mark.parametrize("rows", [0, 1, 3_000])
def test_the_cut_joined_file_equals_the_whole_one(columns, target: FittedTarget, rows: int) -> None:
    made = joined(columns, target)
    content, batch = made.model.SerializeToString(), legal().slice(4_000, rows)
    found = Session(content, made.contract.inputs).run(batch)
    expected = whole(content, batch, [output.name for output in made.contract.outputs])
    assert found.keys() == expected.keys()
    assert all(same_bits(found[name], expected[name]) for name in expected)


def test_a_dictionary_column_answers_as_a_plain_one(columns) -> None:
    session = Session(build_features(columns).SerializeToString(), input_columns(columns, types()))
    plain = legal().slice(0, 500)
    coded = plain.set_column(2, "text", plain.column("text").dictionary_encode())
    assert same_bits(session.run(plain)[CODES], session.run(coded)[CODES])


def test_only_the_asked_outputs_are_given(columns) -> None:
    made = joined(columns, TARGETS[0])
    session = Session(made.model.SerializeToString(), made.contract.inputs, ["probabilities"])
    assert list(session.run(legal(rows=3))) == ["probabilities"]


def test_threads_share_a_session(columns) -> None:
    made = joined(columns, TARGETS[0])
    session = Session(made.model.SerializeToString(), made.contract.inputs, ["probabilities"])
    batches = [legal().slice(start, 200) for start in range(0, 10_000, 200)]
    alone = [session.run(batch)["probabilities"] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: session.run(batch)["probabilities"], batches))
    assert all(same_bits(left, right) for left, right in zip(alone, together, strict=True))


def test_a_model_is_read_from_a_file(columns, tmp_path: Path) -> None:
    (tmp_path / "features.onnx").write_bytes(build_features(columns).SerializeToString())
    session = Session(tmp_path / "features.onnx", input_columns(columns, types()))
    assert session.outputs == (NUMBERS, CODES)


def test_bad_rows_are_not_answered(columns) -> None:
    session = Session(build_features(columns).SerializeToString(), input_columns(columns, types()))
    with pytest.raises(BadRows, match="missing"):
        session.run(legal(rows=1).select(["number"]))


def test_a_look_up_that_is_itself_an_answer_stays_in_the_file() -> None:
    builder = Builder("direct")
    column = builder.input("text", "string")
    attributes = {"keys_strings": ["a"], "values_int64s": [7], "default_int64": 0}
    code = builder.node("LabelEncoder", column, domain="ai.onnx.ml", to="code", **attributes)
    builder.output(code, "code", "int64", ("rows",))
    batch = pa.RecordBatch.from_pydict({"text": ["a", "b", None]})
    assert Session(builder.model().SerializeToString(), [TEXT]).run(batch)["code"].tolist() == [7, 0, 0]


def test_a_text_column_may_be_looked_up_and_used_in_full() -> None:
    builder = Builder("both")
    column = builder.input("text", "string")
    attributes = {"keys_strings": ["a"], "values_int64s": [7], "default_int64": 0}
    code = builder.node("LabelEncoder", column, domain="ai.onnx.ml", **attributes)
    builder.output(builder.node("Add", code, code), "twice", "int64", ("rows",))
    builder.output(column, "same", "string", ("rows",))
    batch = pa.RecordBatch.from_pydict({"text": ["a", "b", "a"]})
    answers = Session(builder.model().SerializeToString(), [TEXT]).run(batch)
    assert (answers["twice"].tolist(), answers["same"].tolist()) == ([14, 0, 14], ["a", "b", "a"])


def test_a_contract_of_another_file_is_refused(columns) -> None:
    content, inputs = build_features(columns).SerializeToString(), input_columns(columns, types())
    with pytest.raises(UsageError, match="'day', of which its contract is silent"):
        Session(content, inputs[:-1])
    with pytest.raises(UsageError, match="takes no float64 column 'text'"):
        Session(content, [inputs[2].model_copy(update={"tensor": "float64"}), *inputs[:2], *inputs[3:]])
    with pytest.raises(UsageError, match="gives no 'scores'"):
        Session(content, inputs, ["scores"])
