"""What every monitor keeps, whatever its kind."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlspec import registry
from mlspec.engine.files import read_json
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.serving.rows import to_batch
from mlspec.errors import MissingError
from mlspec.sdk.monitor import Monitor
from tests.tiny_package import rows, write_package

DRIFT = {"false_alarms": 0.05, "smallest_effect": 0.1}
EXAMPLES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("monitor")
    for place, example in enumerate(registry.find("monitor", kind).examples())
]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("tiny"))


def reference(package: Path) -> dict[str, Any]:
    return {"inputs": read_json(package / "reference.json"), "answers": read_json(package / "answers.json")}


def watch(example: Monitor, package: Path, folder: Path, asked: list[dict[str, Any]], parts: int) -> None:
    scorer = Scorer(package / "model.onnx")
    for part in range(parts):
        watching = example.observer(scorer.contract, folder)
        batch = to_batch(asked[part::parts], scorer.contract)
        watching.observe(batch, scorer.score(batch))
        watching.flush()


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_report_is_json_and_names_every_column(example: Monitor, package: Path, tmp_path: Path) -> None:
    watch(example, package, tmp_path, rows(1000, seed=2), parts=1)
    report = json.loads(json.dumps(example.compare(tmp_path, reference(package), DRIFT), allow_nan=False))
    known = reference(package)
    names = {("inputs", name) for name in known["inputs"]["columns"]}
    names |= {("answers", name) for name in known["answers"]["columns"]}
    assert {(column["part"], column["column"]) for column in report["columns"]} == names
    assert report["drift"] is False and report["rows"] == 1000


@pytest.mark.parametrize("example", EXAMPLES)
def test_many_observers_are_merged(example: Monitor, package: Path, tmp_path: Path) -> None:
    asked = rows(2000, seed=3)
    watch(example, package, tmp_path / "one", asked, parts=1)
    watch(example, package, tmp_path / "four", asked, parts=4)
    one = example.compare(tmp_path / "one", reference(package), DRIFT)
    four = example.compare(tmp_path / "four", reference(package), DRIFT)
    assert one["rows"] == four["rows"] == 2000
    for first, second in zip(one["columns"], four["columns"], strict=True):
        assert first["verdict"] == second["verdict"]
        assert first["effect"] == pytest.approx(second["effect"], abs=0.01)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_change_is_found(example: Monitor, package: Path, tmp_path: Path) -> None:
    changed = [{**row, "age": 90.0, "town": None} for row in rows(1000, seed=4)]
    watch(example, package, tmp_path, changed, parts=2)
    report = example.compare(tmp_path, reference(package), DRIFT)
    told = {column["column"]: column["verdict"] for column in report["columns"]}
    assert report["drift"] and told["age"] == told["town"] == "drift" and told["smoker"] == "stable"


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_observed_is_said(example: Monitor, package: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        example.compare(tmp_path, reference(package), DRIFT)


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_is_left_half_written(example: Monitor, package: Path, tmp_path: Path) -> None:
    watch(example, package, tmp_path, rows(100), parts=3)
    assert [file for file in tmp_path.rglob("*") if file.name.startswith(".") or file.suffix == ".tmp"] == []
