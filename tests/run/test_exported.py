"""From a spec to the file that answers, and refusals where it is not there or too old."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mlspec.cli.main import main
from mlspec.engine.scoring.scorer import Scorer

SPEC = """\
apiVersion: mlspec/v1
name: towns
data:
  source: {kind: csv, path: rows.csv, delimiter: ";", nulls: ["", "NA"]}
  key: [id]
  weight: importance
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number, town: category}
model: {kind: gradient_boosting}
evaluation:
  slices: [town]
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("towns")
    generator = np.random.default_rng(0)
    lines = ["id;size;town;importance;y"]
    for place in range(400):
        size, town = generator.normal(), generator.choice(["Bern", "Genf", "Basel"])
        truth = "yes" if size + (town == "Bern") > generator.normal(0, 0.3) else "no"
        lines.append(f"r{place};{'NA' if place % 9 == 0 else f'{size:.3f}'};{town};{place % 3 + 1};{truth}")
    (at / "rows.csv").write_text("\n".join(lines) + "\n")
    (at / "spec.yaml").write_text(SPEC)
    return at


def test_before_the_first_run_there_is_nothing_to_score_with(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    assert main(["score", "rows.csv", "-o", "out.parquet"]) == 3
    assert "mlspec run" in capfd.readouterr().err


def test_a_query_is_answered_by_its_database(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    there = ["exports.main={kind: sql, table: towns}"]
    assert main(["score", "rows.csv", "spec.yaml", *there]) == 2
    assert "artifacts/towns/export-main/model.sql" in capfd.readouterr().err


def _weighted_accuracy(workspace: Path) -> float:
    """By hand, from the rows that were held out and the exported file."""
    prepared = workspace / "artifacts/data-towns/prepare"
    rows = pq.read_table(prepared / "rows/test.parquet")
    scorer = Scorer(workspace / "artifacts/towns/export-main/model.onnx")
    labels = scorer.score(rows.combine_chunks().to_batches()[0]).column("label").to_pylist()
    right = np.array(labels) == np.array(rows.column("y").to_pylist())
    return float(np.average(right, weights=rows.column("importance").to_numpy()))


def test_after_a_run_its_file_answers_until_the_spec_changes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    assert main(["run"]) == 0
    metrics = json.loads((workspace / "artifacts/towns/evaluate-main/metrics.json").read_text())
    assert metrics["auroc"] > 0.8 and metrics["rows"] > 20
    assert metrics["accuracy"] == pytest.approx(_weighted_accuracy(workspace))
    parity = json.loads((workspace / "artifacts/towns/export-main/parity.json").read_text())
    assert parity["passed"] and parity["itself"]["bit_equal"]

    # the key comes along, and delimiter and nulls are those of the spec
    assert main(["score", "rows.csv", "-o", "out.parquet"]) == 0
    found = pq.read_table("out.parquet")
    assert found.column_names == ["id", "label", "probability_no", "probability_yes"]
    assert found.column("id").to_pylist() == [f"r{place}" for place in range(400)]

    # a folder of the export, or of a package, answers as well; it does not know how the spec reads CSV
    folder = ["score", "rows.csv", "artifacts/towns/export-main", "-o", "other.parquet"]
    assert main(folder) == 1
    assert "size" in capfd.readouterr().err
    assert main([*folder, "--delimiter", ";", "--null", "", "--null", "NA", "--keep", "id"]) == 0
    assert pq.read_table("other.parquet").equals(found)

    changed = ["score", "rows.csv", "spec.yaml", "model.learning_rate=0.05", "-o", "changed.parquet"]
    assert main(changed) == 3
    assert "older than the plan" in (told := capfd.readouterr().err) and "train" in told
    assert main([*changed, "--stale"]) == 0
    assert pq.read_table("changed.parquet").equals(found)
    assert main(["score", "rows.csv", "--export", "small"]) == 2
    assert "small" in capfd.readouterr().err
