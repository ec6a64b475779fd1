import itertools
import json
import threading
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pytest

from mlspec.engine.door import BadRows
from mlspec.engine.scoring.scorer import BATCH, Scorer, answer_names
from mlspec.errors import MissingError, UsageError
from tests.engine import joined_files as made

KINDS = ["binary", "category", "number"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    for kind in KINDS:
        (folder / f"{kind}.onnx").write_bytes(made.joined(kind).model.SerializeToString())
    return {kind: folder / f"{kind}.onnx" for kind in KINDS}


def arrow(rows: dict[str, np.ndarray]) -> pa.RecordBatch:
    columns = {name: pa.array(column, from_pandas=True) for name, column in rows.items() if name != "town"}
    columns["town"] = pa.array([None if town == "\ufdd0" else town for town in rows["town"]], pa.string())
    return pa.RecordBatch.from_pydict(columns | {"id": pa.array(range(len(rows["age"])))})


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_plain_file_bit_for_bit(files: dict[str, Path], kind: str) -> None:
    rows = made.raw_rows(3000)
    scorer = Scorer(files[kind])
    found = scorer.score(arrow(rows))
    session = ort.InferenceSession(files[kind], providers=["CPUExecutionProvider"])
    plain = dict(zip((item.name for item in session.get_outputs()), session.run(None, rows), strict=True))
    assert tuple(found.schema.names) == answer_names(scorer.contract)
    if kind == "number":
        assert found.column("value").to_numpy().tobytes() == plain["value"].tobytes()
        return
    assert found.column("label").to_pylist() == plain["label"].tolist()
    for code, name in enumerate(scorer.contract.target.classes):
        column = found.column(f"probability_{name}")
        assert column.type == pa.float32()
        assert column.to_numpy().tobytes() == np.ascontiguousarray(plain["probabilities"][:, code]).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_many_batches_in_parallel_equal_one_after_another(files: dict[str, Path], kind: str) -> None:
    scorer = Scorer(files[kind])
    whole = arrow(made.raw_rows(3 * BATCH + 17))
    cuts = [0, 1, 2, 900, BATCH, BATCH + 5, 3 * BATCH + 16, whole.num_rows]
    batches = [whole.slice(low, high - low) for low, high in itertools.pairwise(cuts)]
    scored = list(scorer.score_many(iter(batches), threads=3))
    assert [part.rows.num_rows for part in scored] == [BATCH, BATCH, BATCH, 17]
    assert pa.Table.from_batches([part.rows for part in scored]).column("id").to_pylist() == list(
        range(whole.num_rows)
    )
    serial = pa.concat_batches(
        [scorer.score(whole.slice(row, 1000)) for row in range(0, whole.num_rows, 1000)]
    )
    parallel = pa.concat_batches([part.answers for part in scored])
    assert serial.serialize().to_pybytes() == parallel.serialize().to_pybytes()


def test_only_a_few_batches_are_in_memory(files: dict[str, Path]) -> None:
    scorer = Scorer(files["number"])
    batch = arrow(made.raw_rows(BATCH))
    taken = 0

    def source():
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield batch

    ahead = [taken - done for done, _ in enumerate(scorer.score_many(source(), threads=2))]
    assert taken == 40 and max(ahead) <= 5


def test_who_stops_early_leaves_no_thread_behind(files: dict[str, Path]) -> None:
    before = threading.active_count()
    scored = Scorer(files["number"]).score_many(iter([arrow(made.raw_rows(BATCH))] * 20), threads=2)
    next(scored)
    scored.close()
    assert threading.active_count() == before


def test_no_batches_give_no_answers(files: dict[str, Path]) -> None:
    assert list(Scorer(files["number"]).score_many([])) == []
    assert list(Scorer(files["number"]).score_many([arrow(made.raw_rows(0))])) == []


def test_a_bad_row_is_told_with_its_column_and_the_others_are_answered(files: dict[str, Path]) -> None:
    scorer = Scorer(files["binary"])
    rows = made.raw_rows(5)
    rows["income €"][1] = np.inf
    rows["town"] = np.array(["Bern", "Bern", "a\0b", "Bern", "Bern"], dtype=object)
    with pytest.raises(BadRows):
        scorer.score(arrow(rows))
    (scored,) = scorer.score_many([arrow(rows)])
    assert scored.rows.column("id").to_pylist() == [0, 3, 4] and scored.answers.num_rows == 3
    assert scored.refused.column("id").to_pylist() == [1, 2]
    assert "'income €'" in scored.reasons[0] and "'town'" in scored.reasons[1]
    good = {name: column[[0, 3, 4]] for name, column in rows.items()}
    assert scored.answers.equals(scorer.score(arrow(good)))


def test_a_missing_column_is_named(files: dict[str, Path]) -> None:
    batch = arrow(made.raw_rows(3)).drop_columns(["town"])
    with pytest.raises(BadRows, match="town"):
        list(Scorer(files["binary"]).score_many([batch]))


def test_a_contract_beside_the_file_serves_where_the_metadata_was_lost(tmp_path: Path) -> None:
    whole = made.joined("binary")
    stripped = type(whole.model)()
    stripped.CopyFrom(whole.model)
    del stripped.metadata_props[:]
    (tmp_path / "model.onnx").write_bytes(stripped.SerializeToString())
    with pytest.raises(MissingError, match="contract"):
        Scorer(tmp_path / "model.onnx")
    (tmp_path / "contract.json").write_text(json.dumps(whole.contract.model_dump(mode="json")))
    assert Scorer(tmp_path / "model.onnx").contract == whole.contract


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(UsageError):
        Scorer(tmp_path / "model.onnx")
    with pytest.raises(MissingError):
        Scorer(tmp_path / "absent.onnx")
