import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from mlspec.engine.exporting.join import CONTRACT, Parts, join
from mlspec.engine.exporting.tail import tail
from mlspec.errors import StepError
from mlspec.sdk.contract import Contract, InputColumn
from tests.engine import joined_files as made


def answers(model: onnx.ModelProto, rows: dict) -> dict:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, rows), strict=True))


def test_binary_answers_equal_numpy() -> None:
    rows = made.raw_rows(500)
    found = answers(made.joined("binary", 0.3).model, rows)
    positive = 1 / (1 + np.exp(-made.scores_by_hand(rows, 1)[:, 0]))
    assert found["probabilities"].dtype == np.float32
    np.testing.assert_allclose(found["probabilities"], np.stack([1 - positive, positive], axis=1), atol=1e-6)
    assert found["label"].tolist() == [">yes" if p >= 0.3 else "no" for p in positive]
    assert {"no", ">yes"} == set(found["label"])


def test_category_answers_equal_numpy() -> None:
    rows = made.raw_rows(500)
    found = answers(made.joined("category").model, rows)
    raised = np.exp(made.scores_by_hand(rows, 3))
    np.testing.assert_allclose(found["probabilities"], raised / raised.sum(axis=1, keepdims=True), atol=1e-6)
    assert found["label"].tolist() == [("a", "b", "ç")[code] for code in raised.argmax(axis=1)]


def test_values_equal_numpy_in_double() -> None:
    rows = made.raw_rows(500)
    found = answers(made.joined("number").model, rows)
    assert found["value"].dtype == np.float64 and found["value"].shape == (500,)
    np.testing.assert_allclose(
        found["value"], made.scores_by_hand(rows, 1)[:, 0] * 12.5 + 1e6, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_are_batches_too(kind: str, rows: int) -> None:
    found = answers(made.joined(kind).model, made.raw_rows(rows))
    assert {len(answer) for answer in found.values()} == {rows}


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_the_tail_in_numpy_is_the_tail_of_the_file(kind: str) -> None:
    rows = made.raw_rows(300)
    target = made.TARGETS[kind]
    found = answers(made.joined(kind).model, rows)
    expected = tail(made.scores_by_hand(rows, target.width).astype(np.float32), target)
    np.testing.assert_allclose(
        found["value" if kind == "number" else "probabilities"], expected, atol=2e-6, rtol=1e-9
    )


@pytest.mark.parametrize(("threshold", "label"), [(0.5, ">yes"), (np.nextafter(0.5, 1), "no")])
def test_the_threshold_itself_is_positive(threshold: float, label: str) -> None:
    half = np.array([[0.0]], np.float32)
    parts = Parts("tiny", made.features(), made.INPUTS, made.TARGETS["binary"], threshold)
    model = join(
        parts, lambda builder: builder.node("Mul", made.network(1)(builder), builder.constant(half))
    ).model
    assert set(answers(model, made.raw_rows(5))["label"]) == {label}


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_the_same_parts_give_the_same_bytes_and_version(kind: str) -> None:
    first, second = made.joined(kind), made.joined(kind)
    assert first.model.SerializeToString() == second.model.SerializeToString()
    assert first.contract == second.contract and len(first.contract.model_version) == 16


def test_another_threshold_is_another_version() -> None:
    assert (
        made.joined("binary", 0.5).contract.model_version != made.joined("binary", 0.4).contract.model_version
    )


def test_the_file_carries_its_contract_and_no_traces() -> None:
    whole = made.joined("binary", 0.25)
    (entry,) = whole.model.metadata_props
    assert entry.key == CONTRACT
    assert Contract.revive(json.loads(entry.value)) == whole.contract
    assert whole.contract.threshold == 0.25
    assert not any(node.doc_string or node.name or node.metadata_props for node in whole.model.graph.node)
    assert str(Path.cwd()).encode() not in whole.model.SerializeToString()
    assert not any(tensor.external_data for tensor in whole.model.graph.initializer)
    assert sorted((opset.domain, opset.version) for opset in whole.model.opset_import) == [
        ("", 20),
        ("ai.onnx.ml", 4),
    ]


def test_inner_names_are_reserved_ones() -> None:
    graph = made.joined("category").model.graph
    public = {value.name for value in (*graph.input, *graph.output)}
    inner = {name for node in graph.node for name in node.output} | {
        tensor.name for tensor in graph.initializer
    }
    assert all(name.startswith("mlspec/") for name in inner - public)


@pytest.mark.parametrize("name", ["label", "probabilities", "mlspec/numbers"])
def test_a_column_that_takes_an_answers_name_is_refused(name: str) -> None:
    columns = (*made.INPUTS, InputColumn(name=name, kind="number", tensor="float64", type="number"))
    with pytest.raises(StepError, match=name):
        join(Parts("tiny", made.features(), columns, made.TARGETS["binary"], 0.5), made.network(1))
