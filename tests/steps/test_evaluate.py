import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn import metrics as reference

from mlspec.engine.querying.query import query
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.steps.evaluate import evaluate
from tests.engine import joined_files as made

ROWS = 400


def folders(at: Path, kind: str, weight: bool = False) -> dict[str, Path]:
    """An export and the test split as `prepare` leaves it, with a truth that follows the scores by half."""
    (at / "export").mkdir(parents=True)
    (at / "export" / "model.onnx").write_bytes(made.joined(kind).model.SerializeToString())
    raw, target = made.raw_rows(ROWS, seed=3), made.TARGETS[kind]
    generator = np.random.default_rng(5)
    scores = made.scores_by_hand(raw, target.width)
    if kind == "number":
        truth = pa.array(scores[:, 0] * target.std + target.mean + generator.normal(0, 5, ROWS))
    else:
        codes = scores.argmax(axis=1) if kind == "category" else (scores[:, 0] > 0).astype(int)
        codes = np.where(
            generator.random(ROWS) < 0.3, generator.integers(0, len(target.classes), ROWS), codes
        )
        truth = pa.array([target.classes[code] for code in codes])
    columns = {name: pa.array(raw[name], from_pandas=True) for name in ("age", "income €")}
    columns["town"] = pa.array([None if town == "\ufdd0" else town for town in raw["town"]], pa.string())
    columns |= {
        "y": truth,
        "importance": pa.array(generator.random(ROWS)),
        "rare": pa.array(["a"] * 390 + ["b"] * 10),
    }
    (at / "prepare" / "rows").mkdir(parents=True)
    notes = {"mlspec.weight": "importance"} if weight else None
    pq.write_table(pa.table(columns).replace_schema_metadata(notes), at / "prepare" / "rows" / "test.parquet")
    return {"export-main": at / "export", "prepare": at / "prepare"}


def evaluated(
    at: Path, kind: str, metrics: list | None, slices: list | tuple = (), weight: bool = False
) -> Path:
    inputs, output = folders(at, kind, weight), at / "out"
    output.mkdir()
    context = Context(workspace=at, step="evaluate-main")
    evaluate({"evaluation": {"metrics": metrics, "slices": list(slices)}}, inputs, output, context)
    return output


def read(path: Path):
    return json.loads(path.read_text())


def test_measures_are_those_of_the_file_against_the_truth(tmp_path: Path) -> None:
    output = evaluated(tmp_path, "binary", ["accuracy", {"kind": "auroc"}, "log_loss"])
    found = read(output / "metrics.json")
    truth = pq.read_table(tmp_path / "prepare/rows/test.parquet").column("y").to_numpy() == ">yes"
    positive = 1 / (1 + np.exp(-made.scores_by_hand(made.raw_rows(ROWS, seed=3), 1)[:, 0]))
    assert found == {
        "accuracy": pytest.approx(((positive >= 0.5) == truth).mean()),
        "auroc": pytest.approx(reference.roc_auc_score(truth, positive)),
        "log_loss": pytest.approx(
            reference.log_loss(truth, np.stack([1 - positive, positive], axis=1)), rel=1e-6
        ),
        "rows": ROWS,
    }


@pytest.mark.parametrize("kind", ["binary", "category", "number"])
def test_each_measure_lies_in_its_interval(tmp_path: Path, kind: str) -> None:
    output = evaluated(tmp_path, kind, None, weight=True)
    metrics, told = read(output / "metrics.json"), read(output / "intervals.json")
    assert told["confidence"] == 0.95 and told["resamples"] == 500
    assert set(told["metrics"]) == set(metrics) - {"rows"}
    assert all(low < metrics[name] < high for name, (low, high) in told["metrics"].items())


def test_weights_count(tmp_path: Path) -> None:
    output = evaluated(tmp_path, "number", ["mae"], weight=True)
    table = pq.read_table(tmp_path / "prepare/rows/test.parquet")
    values = made.scores_by_hand(made.raw_rows(ROWS, seed=3), 1)[:, 0] * 12.5 + 1e6
    expected = np.average(
        np.abs(values - table.column("y").to_numpy()), weights=table.column("importance").to_numpy()
    )
    assert read(output / "metrics.json")["mae"] == pytest.approx(expected, rel=1e-6)


def test_slices_tell_each_value_and_where_rows_are_too_few(tmp_path: Path) -> None:
    output = evaluated(tmp_path, "binary", ["accuracy"], ["town", "rare", "age"])
    found = read(output / "slices.json")["slices"]
    raw, table = made.raw_rows(ROWS, seed=3), pq.read_table(tmp_path / "prepare/rows/test.parquet")
    right = (table.column("y").to_numpy() == ">yes") == (made.scores_by_hand(raw, 1)[:, 0] >= 0)
    for told in found["town"]:
        chosen = raw["town"] == ("\ufdd0" if told["value"] is None else told["value"])
        assert told == {
            "value": told["value"],
            "rows": chosen.sum(),
            "metrics": {"accuracy": pytest.approx(right[chosen].mean())},
            "intervals": told["intervals"],
        }
        low, high = told["intervals"]["accuracy"]
        assert low < right[chosen].mean() < high
    assert sum(told["rows"] for told in found["town"]) == ROWS and None in [
        told["value"] for told in found["town"]
    ]
    assert found["rare"][1] == {"value": "b", "rows": 10, "verdict": "too few rows"}
    assert [told["rows"] for told in found["age"]] == [86, 86, 85, 85, 58]
    assert found["age"][0]["value"].startswith("[")


def test_answers_are_profiled_as_monitoring_reads_them(tmp_path: Path) -> None:
    output = evaluated(tmp_path, "category", None)
    found = read(output / "answers.json")
    assert found["rows"] == ROWS and sum(found["columns"]["label"]["counts"].values()) == ROWS
    quantiles = found["columns"]["probability_a"]["quantiles"]
    assert len(quantiles) == 1001 and quantiles == sorted(quantiles)
    assert {"probability_a", "probability_b", "probability_ç", "label"} == set(found["columns"])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("binary", {"roc", "precision_recall", "calibration", "confusion"}),
        ("category", {"roc", "precision_recall", "calibration", "confusion"}),
        ("number", {"residuals"}),
    ],
)
def test_plots_are_lists_of_points(tmp_path: Path, kind: str, names: set[str]) -> None:
    output = evaluated(tmp_path, kind, None)
    files = {file.stem: read(file) for file in (output / "plots").iterdir()}
    assert set(files) == names and all(points and isinstance(points[0], dict) for points in files.values())
    if kind == "number":
        assert all(
            point["residual"] == pytest.approx(point["actual"] - point["predicted"])
            for point in files["residuals"]
        )
        return
    assert len(files["confusion"]) == ROWS == sum(cell["weight"] for cell in read(output / "confusion.json"))


def test_calibration_says_how_sure_each_group_is(tmp_path: Path) -> None:
    points = read(evaluated(tmp_path, "binary", ["auroc"]) / "plots" / "calibration.json")
    for point in points:
        positive = round(point["seen"] * point["rows"])
        low, high = stats.binomtest(positive, point["rows"]).proportion_ci(0.95, method="wilson")
        assert (point["seen_low"], point["seen_high"]) == (pytest.approx(low), pytest.approx(high))
    assert sum(point["rows"] for point in points) == ROWS


def test_the_area_below_the_drawn_roc_is_auroc(tmp_path: Path) -> None:
    output = evaluated(tmp_path, "binary", ["auroc"])
    points = read(output / "plots" / "roc.json")
    x, y = ([point[name] for point in points] for name in ("false_positive_rate", "true_positive_rate"))
    assert np.trapezoid(y, x) == pytest.approx(read(output / "metrics.json")["auroc"], abs=1e-9)


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (evaluated(tmp_path / name, "category", None, ["town"]) for name in ("a", "b"))
    for file in sorted(first.rglob("*.json")):
        assert file.read_bytes() == (second / file.relative_to(first)).read_bytes()


def test_a_measure_that_does_not_suit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="rmse"):
        evaluated(tmp_path, "binary", ["rmse"])


def test_an_unknown_slice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="nobody"):
        evaluated(tmp_path, "binary", None, ["nobody"])


def test_no_torch_is_needed(tmp_path: Path, root: Path) -> None:
    inputs = folders(tmp_path, "binary")
    (tmp_path / "out").mkdir()
    program = """if True:
        import json, pathlib, sys
        from mlspec.sdk.context import Context
        from mlspec.steps.evaluate import evaluate
        here = pathlib.Path(sys.argv[1])
        inputs = {name: pathlib.Path(path) for name, path in json.loads(sys.argv[2]).items()}
        parameters = {"evaluation": {"metrics": None, "slices": ["town"]}}
        evaluate(parameters, inputs, here / "out", Context(workspace=here))
        print(sorted({"torch", "sklearn", "pytorch_lightning"} & set(sys.modules)))
    """
    words = [str(tmp_path), json.dumps({name: str(path) for name, path in inputs.items()})]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", made.TARGETS)
def test_an_exported_query_is_measured_by_running_it(kind: str, tmp_path: Path) -> None:
    """Its measures are those of the file that it was written from."""
    expected = read(evaluated(tmp_path / "file", kind, None) / "metrics.json")
    inputs, output, joined = folders(tmp_path / "query", kind), tmp_path / "query" / "out", made.joined(kind)
    output.mkdir()
    (inputs["export-main"] / "model.onnx").unlink()
    text = query(joined.model, joined.contract, "there.rows", ("id",)).text("duckdb")
    (inputs["export-main"] / "model.sql").write_text(text, encoding="utf-8")
    about = {"file": "model.sql", "table": "there.rows", "keep": ["id"]}
    (inputs["export-main"] / "query.json").write_text(json.dumps(about))
    (inputs["export-main"] / "contract.json").write_text(joined.contract.model_dump_json())
    context = Context(workspace=tmp_path, step="evaluate-main")
    evaluate({"evaluation": {"metrics": None, "slices": ["rare"]}}, inputs, output, context)
    found = read(output / "metrics.json")
    assert found == {name: pytest.approx(value, rel=1e-5) for name, value in expected.items()}
    assert set(read(output / "slices.json")["slices"]) == {"rare"}
