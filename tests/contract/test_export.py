"""What every export keeps to: a trained model goes in, a file that answers like it comes out."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pytest

from mlspec import registry
from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.engine.preparing.shards import ShardWriter
from mlspec.engine.reading.row_file import RowFile
from mlspec.errors import CheckFailed
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.export import Export, ExportInputs
from mlspec.sdk.model import Model
from tests.engine import joined_files as made

CASES = [
    (kind, example, target)
    for kind in registry.kinds("export")
    for example in registry.find("export", kind).examples()
    for target in made.TARGETS
]
SHAPE = ModelInputs(numbers=2, sizes=(5,), number_names=("age", "income €"), code_names=("town",))
HELD_OUT, HOSTILE = 60, 5


class Tiny(Model):
    """The network of `joined_files`."""

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        return made.network(target.width)(builder)


def trained(at: Path, kind: str) -> ExportInputs:
    """What `prepare` and `train` leave, written by hand."""
    prepared, train = at / "prepare", at / "train"
    prepared.mkdir(parents=True)
    train.mkdir()
    target, raw = made.TARGETS[kind], made.raw_rows(HELD_OUT + HOSTILE)
    (prepared / "features.onnx").write_bytes(made.features().SerializeToString())
    described = {"inputs": [item.model_dump() for item in made.INPUTS], "shape": SHAPE.model_dump()}
    (prepared / "features.json").write_text(json.dumps(described))
    (prepared / "target.json").write_text(json.dumps(target.model_dump()))
    columns = {name: pa.array(raw[name], from_pandas=True) for name in ("age", "income €")}
    columns["town"] = pa.array([None if town == "\ufdd0" else town for town in raw["town"]], pa.string())
    with RowFile(prepared / "rows" / "parity.parquet", {"mlspec.held_out": str(HELD_OUT)}) as rows:
        rows.write(pa.RecordBatch.from_pydict(columns))
    session = ort.InferenceSession(made.features().SerializeToString(), providers=["CPUExecutionProvider"])
    numbers, codes = session.run([NUMBERS, CODES], raw)
    with ShardWriter(prepared / "shards" / "parity", HELD_OUT + HOSTILE, SHAPE, target=False) as shards:
        shards.write(numbers, codes)
    np.save(train / "expected.npy", made.scores_by_hand(raw, target.width).astype(np.float32))
    threshold = 0.25 if kind == "binary" else None
    (train / "model.json").write_text(json.dumps({"family": "fitted", "threshold": threshold}))
    return ExportInputs("tiny", Tiny(kind="tiny"), prepared, train)


@pytest.mark.parametrize(("kind", "export", "target"), CASES)
def test_the_artifact_answers_raw_rows_as_its_contract_says(
    kind: str, export: Export, target: str, tmp_path: Path
) -> None:
    from mlspec.engine.scoring.query_scorer import scorer_of

    (tmp_path / "out").mkdir()
    report = export.write(trained(tmp_path, target), tmp_path / "out")
    assert report["passed"] and report["hostile_rows"] == HOSTILE
    scorer = scorer_of(tmp_path / "out")
    contract = json.loads((tmp_path / "out" / "contract.json").read_text())
    assert contract == scorer.contract.model_dump(mode="json")
    assert contract["threshold"] == (0.25 if target == "binary" else None) and contract["name"] == "tiny"
    rows = pa.RecordBatch.from_pydict({"age": [30.0, None], "income €": [900.0, 1.0], "town": ["Bern", None]})
    (scored,) = scorer.score_many([rows])
    assert scored.answers.num_rows == 2 and not scored.reasons
    if export.form == "query":
        return
    told = json.loads((tmp_path / "out" / "conformance.json").read_text())
    assert told["rows"] and told["model_version"] == contract["model_version"]


@pytest.mark.parametrize(("kind", "export", "target"), CASES)
def test_the_same_model_gives_the_same_bytes(kind: str, export: Export, target: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "out").mkdir(parents=True)
        export.write(trained(tmp_path / name, target), tmp_path / name / "out")
    files = sorted(path.name for path in (tmp_path / "a" / "out").iterdir())
    assert {*export.measured(), "parity.json"} <= set(files)
    for name in files:
        content = (tmp_path / "a" / "out" / name).read_bytes()
        assert content == (tmp_path / "b" / "out" / name).read_bytes()
        assert str(tmp_path).encode() not in content


@pytest.mark.parametrize(("kind", "export", "target"), CASES)
def test_an_artifact_that_answers_differently_does_not_leave(
    kind: str, export: Export, target: str, tmp_path: Path
) -> None:
    inputs = trained(tmp_path, target)
    expected = np.load(inputs.trained / "expected.npy")
    expected[HELD_OUT + 1, 0] += 0.01
    np.save(inputs.trained / "expected.npy", expected)
    (tmp_path / "out").mkdir()
    with pytest.raises(CheckFailed, match=f"row {HELD_OUT + 1}"):
        export.write(inputs, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert not report["passed"] and report["worst"]["hostile"]
