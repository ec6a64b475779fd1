import ast
import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlspec.engine.files import read_json
from mlspec.engine.serving.pack import pack
from mlspec.engine.serving.wheel import modules, requirements, wheel
from mlspec.errors import StepError
from tests.tiny_package import references, write_export, write_package

NEVER = {
    "torch",
    "pytorch_lightning",
    "dvc",
    "ibis",
    "duckdb",
    "hydra",
    "omegaconf",
    "sklearn",
    "rich",
    "ruamel",
}


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_the_same_model_packs_to_the_same_bytes_anywhere(tmp_path: Path) -> None:
    first, second = write_package(tmp_path / "a"), write_package(tmp_path / "some where" / "else")
    assert digests(first) == digests(second)
    for file in first.iterdir():
        assert str(tmp_path).encode() not in file.read_bytes()


def test_a_package_holds_all_that_production_needs(tmp_path: Path) -> None:
    package = write_package(tmp_path, max_rows=7)
    assert {file.name for file in package.iterdir()} == {
        "model.onnx", "contract.json", "conformance.json", "reference.json", "answers.json",
        "deployment.json", "service.py", "bentofile.yaml", "requirements.txt", "README.md",
        wheel(tmp_path).name,
    }  # fmt: skip
    settings = read_json(package / "deployment.json")
    assert settings == {
        "version": 1, "name": "tiny", "deployment": "online", "kind": "rest", "model_version": "v1",
        "max_body": 2**20, "max_rows": 7,
    }  # fmt: skip
    assert (package / "model.onnx").read_bytes() == (tmp_path / "export" / "model.onnx").read_bytes()
    compile((package / "service.py").read_text(), "service.py", "exec")


def test_only_inputs_are_profiled_and_times_are_marked(tmp_path: Path) -> None:
    write_export(tmp_path / "export")
    known = references(tmp_path)
    content = read_json(known["inputs"])
    content["columns"]["weight"] = content["columns"]["age"]
    known["inputs"].write_text(json.dumps(content))
    pack(tmp_path / "export", {"name": "tiny", "deployment": "d"}, known, tmp_path / "package")
    columns = read_json(tmp_path / "package" / "reference.json")["columns"]
    assert set(columns) == {"age", "town", "rooms", "smoker", "seen"}
    assert columns["seen"]["kind"] == "datetime" and columns["age"] == content["columns"]["age"]


def test_an_export_without_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    with pytest.raises(StepError, match=r"no 'model\.onnx'"):
        pack(tmp_path / "export", {"name": "tiny", "deployment": "d"}, {}, tmp_path / "package")


def test_the_wheel_is_a_wheel(tmp_path: Path) -> None:
    made = wheel(tmp_path)
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        assert made.name == info.removesuffix(".dist-info") + "-py3-none-any.whl"
        listed = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(f"{info}/RECORD").decode()))}
        assert set(listed) == set(names)
        for name, (digest, size) in listed.items():
            if not name.endswith("RECORD"):
                content = archive.read(name)
                assert digest.startswith("sha256=") and int(size) == len(content)
        metadata = archive.read(f"{info}/METADATA").decode()
    assert "Name: mlspec-serve\n" in metadata
    stated = [
        line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires")
    ]
    assert set(requirements()) < set(stated)


def test_serving_requires_no_training(tmp_path: Path) -> None:
    names = {line.split("<")[0].split(">")[0].split("=")[0] for line in requirements()}
    assert {
        "bentoml",
        "numpy",
        "onnxruntime",
        "pyarrow",
        "pydantic",
        "starlette",
        "uvicorn",
        "whylogs",
    } <= names
    assert not names & NEVER


def test_no_part_of_the_wheel_imports_what_serving_lacks(tmp_path: Path) -> None:
    held = modules()
    assert {
        "mlspec.engine.serving.service",
        "mlspec.engine.scoring.scorer",
        "mlspec.plugins.monitor.whylogs",
    } <= set(held)
    assert not [
        name for name in held if name.split(".")[1:2] in (["cli"], ["run"], ["plan"], ["steps"], ["compose"])
    ]
    with zipfile.ZipFile(wheel(tmp_path)) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                for node in ast.walk(ast.parse(archive.read(name))):
                    if isinstance(node, ast.Import):
                        found = {item.name.split(".")[0] for item in node.names}
                    elif isinstance(node, ast.ImportFrom) and not node.level:
                        found = {str(node.module).split(".")[0]}
                    else:
                        continue
                    assert not found & NEVER, name


def test_the_wheel_answers_without_the_rest_of_mlspec(tmp_path: Path) -> None:
    package = write_package(tmp_path)
    with zipfile.ZipFile(wheel(tmp_path)) as archive:
        archive.extractall(tmp_path / "alone")
    script = f"""
import sys
sys.path = [{str(tmp_path / "alone")!r}, *(entry for entry in sys.path if not entry.endswith("/main"))]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
import mlspec
assert mlspec.__file__.startswith({str(tmp_path / "alone")!r}), mlspec.__file__
from mlspec.engine.serving.service import service
from mlspec.engine.watching.drift import drift
from mlspec.sdk.slot import Slot
service({str(package)!r})
Slot("monitor").choose({{"kind": "whylogs", "of": "online"}})
heavy = {sorted(NEVER)!r}
print(sorted(set(heavy) & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout == "[]\n", done.stderr
