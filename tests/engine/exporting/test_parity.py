"""Planted faults: each must fail the gate and name the column."""

import copy

import numpy as np
import onnx
import pyarrow as pa
import pytest
from onnx import numpy_helper

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.exporting.parity import Tolerance, parity
from mlspec.engine.exporting.replay import Replay
from mlspec.sdk.contract import ModelInputs
from mlspec.sdk.encoded import Encoded
from tests.engine import joined_files as made

SHAPE = ModelInputs(numbers=2, sizes=(5,), number_names=("age", "income €"), code_names=("town",))
TOLERANCE = Tolerance(1e-5, 1e-5)
KINDS = ["binary", "category", "number"]


def replay(kind: str, rows: int = 400) -> Replay:
    """Rows encoded and scored by the feature graph and by numpy; the last ten far out."""
    import onnxruntime as ort

    raw = made.raw_rows(rows)
    raw["age"][-10:] = 1e9
    session = ort.InferenceSession(made.features().SerializeToString(), providers=["CPUExecutionProvider"])
    numbers, codes = session.run([NUMBERS, CODES], raw)
    columns = {name: pa.array(raw[name], from_pandas=True) for name in ("age", "income €")}
    columns["town"] = pa.array([None if town == "\ufdd0" else town for town in raw["town"]], pa.string())
    scores = made.scores_by_hand(raw, made.TARGETS[kind].width).astype(np.float32)
    hostile = np.arange(rows) >= rows - 10
    return Replay(
        pa.RecordBatch.from_pydict(columns),
        Encoded(numbers, codes.astype(np.int32), np.zeros(0)),
        scores,
        hostile,
    )


def report(kind: str, change=None, replayed: Replay | None = None) -> dict:
    whole = made.joined(kind)
    model = copy.deepcopy(whole.model)
    if change is not None:
        change(model)
    return parity(model.SerializeToString(), whole.contract, SHAPE, replayed or replay(kind), TOLERANCE)


def constant(model: onnx.ModelProto, wanted: np.ndarray, changed: np.ndarray) -> None:
    """Replace the constant that equals an array."""
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.STRING:
            held = numpy_helper.to_array(tensor)
            if held.shape == wanted.shape and (held == wanted).all():
                tensor.CopyFrom(numpy_helper.from_array(changed.astype(held.dtype), tensor.name))
                return
    raise AssertionError("no such constant")


@pytest.mark.parametrize("kind", KINDS)
def test_a_faithful_file_passes_bit_equal_with_itself(kind: str) -> None:
    found = report(kind)
    assert found["passed"] and "worst" not in found
    assert 0 < found["largest"] < 1e-5
    assert found["rows"] == 400 and found["hostile_rows"] == 10
    assert found["itself"] == {"rows_alone": 138, "rows_whole": 400, "bit_equal": True, "largest": 0.0}
    assert ("labels_compared" in found) == (kind != "number")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("column", "place"), [("age", 0), ("income €", 1)])
def test_a_feature_that_went_wrong_is_named(kind: str, column: str, place: int) -> None:
    mean = made.MEANS[place]
    found = report(kind, lambda model: constant(model, np.array(mean), np.array(mean * 1.001)))
    assert not found["passed"] and found["worst"]["column"] == column
    assert column in found["text"] and f"row {found['worst']['row']}" in found["text"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("column", "place"), [("age", 0), ("income €", 1)])
def test_a_weight_that_went_wrong_names_its_column(kind: str, column: str, place: int) -> None:
    width = made.TARGETS[kind].width
    right = made.WEIGHTS[:, :width]
    wrong = right.copy()
    wrong[place, 0] += 0.01
    found = report(kind, lambda model: constant(model, right, wrong))
    assert not found["passed"] and found["worst"]["column"] == column


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_went_wrong_names_its_column(kind: str) -> None:
    width = made.TARGETS[kind].width
    right = made.TABLE[:, :width]
    wrong = right.copy()
    wrong[2, 0] += 0.01
    found = report(kind, lambda model: constant(model, right, wrong))
    assert not found["passed"] and found["worst"]["column"] == "town"
    assert found["worst"]["values"]["town"] == "'Bern'"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_as_small_as_the_tolerance_is_found(kind: str) -> None:
    right = replay(kind)
    nudge = 1e-3 if kind == "number" else 3e-3
    off = Replay(right.rows, right.encoded, right.scores.copy(), right.hostile)
    off.scores[7, 0] += nudge
    found = report(kind, replayed=off)
    assert not found["passed"] and found["worst"]["row"] == 7 and found["rows_off"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_nan_agrees_with_nothing(kind: str) -> None:
    right = replay(kind)
    off = Replay(right.rows, right.encoded, right.scores.copy(), right.hostile)
    off.scores[3] = np.nan
    assert report(kind, replayed=off)["worst"]["row"] == 3

    def poison(model: onnx.ModelProto) -> None:
        constant(
            model, made.TABLE[:, : made.TARGETS[kind].width], np.full((5, made.TARGETS[kind].width), np.nan)
        )

    both = Replay(right.rows, right.encoded, np.full_like(right.scores, np.nan), right.hostile)
    assert not report(kind, poison, both)["passed"]


def test_an_encoding_that_differs_too_little_to_be_seen_in_answers_is_named() -> None:
    right = replay("number")
    codes = right.encoded.codes.copy()
    numbers = right.encoded.numbers.copy()
    numbers[5, 1] = np.nextafter(numbers[5, 1], 2, dtype=np.float32)
    found = report(
        "number",
        replayed=Replay(right.rows, Encoded(numbers, codes, np.zeros(0)), right.scores, right.hostile),
    )
    assert not found["passed"] and "'income €'" in found["text"]


def test_a_swapped_label_fails_although_probabilities_agree() -> None:
    def swap(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.STRING:
                tensor.string_data[:] = list(tensor.string_data)[::-1]

    found = report("binary", swap)
    assert not found["passed"] and found["labels_compared"] > 300


def test_labels_at_the_edge_are_not_compared() -> None:
    right = replay("binary", 50)
    scores = np.zeros_like(right.scores)
    edge = Replay(right.rows, right.encoded, scores, np.zeros(50, bool))
    found = parity(
        made.joined("binary").model.SerializeToString(),
        made.joined("binary").contract,
        SHAPE,
        edge,
        Tolerance(1.0, 0.0),
    )
    assert found["passed"] and found["labels_compared"] == 0
