"""What an exported file says of its making, and that equal work says the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import onnx
import pytest

from mlspec import registry
from mlspec.engine.exporting.read_provenance import read_provenance
from mlspec.engine.files import write_json
from mlspec.engine.provenance import FILE, digest, made_by, provenance
from mlspec.errors import MissingError, StepError
from tests.contract.test_export import trained

PARAMETERS = {"seed": 7, "revisions": {"step/train": 2, "model/mlp": 1}}


def told(folder: Path, **locks: str) -> dict:
    own = made_by({"name": "tiny"}, folder)
    return provenance("tiny", "main", own, folder / "prepare", folder / "train", locks)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = {"manifest": "a" * 64, "rows": 10, "rejected": 0}
    split = {"kind": "hash", "seed": 7, "rows": {"train": 8, "test": 2}}
    prepared = made_by({"data": {}}, tmp_path) | {"data": data, "split": split}
    write_json(tmp_path / "prepare" / FILE, prepared)
    write_json(tmp_path / "train" / FILE, made_by(PARAMETERS, tmp_path))
    return tmp_path


def test_a_digest_is_that_of_the_content_and_not_of_its_order():
    assert (
        digest({"b": [1, 2.5, None], "a": "é"})
        == hashlib.sha256('{"a":"é","b":[1,2.5,null]}'.encode()).hexdigest()
    )
    assert digest([1, 2]) != digest([2, 1])


def test_a_changed_parameter_anywhere_is_another_spec(folder: Path):
    before = told(folder)
    assert before == told(folder)
    write_json(folder / "train" / FILE, made_by(PARAMETERS | {"seed": 8}, folder))
    after = told(folder)
    assert after["spec"] != before["spec"]
    assert [
        step for step in after["parameters"] if after["parameters"][step] != before["parameters"][step]
    ] == ["train"]
    assert before["revisions"] == {"model/mlp": 1, "step/train": 2} and before["data"]["rows"] == 10


def test_a_plugin_of_the_workspace_is_named_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from mlspec import plugins

    monkeypatch.setattr(plugins, "__path__", [str(tmp_path / "plugins"), *plugins.__path__])
    (tmp_path / "plugins/metric").mkdir(parents=True)
    for name in ("luck.py", "_dice.py", "other.py"):
        (tmp_path / "plugins/metric" / name).write_text(f"# {name}\n")
    assert registry.file("metric", "luck") == tmp_path / "plugins/metric/luck.py"
    found = made_by({"revisions": {"metric/luck": 1, "metric/accuracy": 1, "step/train": 2}}, tmp_path)
    assert found["files"] == {
        f"plugins/metric/{name}": hashlib.sha256(f"# {name}\n".encode()).hexdigest()
        for name in ("luck.py", "_dice.py")
    }


def test_a_file_carries_its_making_and_answers_as_before(tmp_path: Path, folder: Path):
    export = registry.find("export", "onnx").examples()[0]
    inputs = trained(tmp_path / "made", "binary")
    made = {}
    for name, said in (
        ("plain", {}),
        ("first", told(folder, train="b.dir")),
        ("again", told(folder, train="b.dir")),
    ):
        (tmp_path / name).mkdir()
        export.write(dataclasses.replace(inputs, provenance=said), tmp_path / name)
        made[name] = (tmp_path / name / "model.onnx").read_bytes()
    assert made["first"] == made["again"] != made["plain"]
    assert read_provenance(tmp_path / "first/model.onnx") == told(folder, train="b.dir")
    versions = {
        json.loads((tmp_path / name / "contract.json").read_text())["model_version"]
        for name in ("plain", "first")
    }
    assert len(versions) == 1
    with pytest.raises(MissingError, match="does not say where it comes from"):
        read_provenance(tmp_path / "plain/model.onnx")


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}'])
def test_strange_words_in_the_file_are_told(tmp_path: Path, folder: Path, text: str):
    export = registry.find("export", "onnx").examples()[0]
    (tmp_path / "out").mkdir()
    export.write(
        dataclasses.replace(trained(tmp_path / "made", "binary"), provenance=told(folder)), tmp_path / "out"
    )
    model = onnx.load(tmp_path / "out/model.onnx")
    next(entry for entry in model.metadata_props if entry.key == "mlspec.provenance").value = text
    onnx.save(model, tmp_path / "strange.onnx")
    with pytest.raises(StepError):
        read_provenance(tmp_path / "strange.onnx")
