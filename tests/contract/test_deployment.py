"""What every deployment keeps, whatever its kind."""

import hashlib
import json
from pathlib import Path

import pytest

from mlspec import registry
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.deployment import Deployment
from mlspec.sdk.fields import parameters
from mlspec.steps.package import package
from tests.tiny_package import references, write_export

EXAMPLES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("deployment")
    for place, example in enumerate(registry.find("deployment", kind).examples())
]


def run(deployment: Deployment, folder: Path) -> Path:
    """Run the step as a plan would, and return what it wrote."""
    inputs = {name: folder / name for name in ("export-main", "evaluate-main", "gate", "prepare")}
    write_export(inputs["export-main"])
    write_export(folder / "export")
    made = references(folder)
    for step, part, file in (
        ("prepare", "inputs", "reference.json"),
        ("evaluate-main", "answers", "answers.json"),
    ):
        inputs[step].mkdir()
        (inputs[step] / file).write_bytes(made[part].read_bytes())
    inputs["gate"].mkdir()
    (inputs["gate"] / "passed").write_text("passed\n")
    plain = json.loads(json.dumps(parameters(deployment)))
    output = folder / "output"
    output.mkdir()
    package({"name": "tiny", "deployments": {"online": plain}}, inputs, output, Context(workspace=folder))
    return output


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_package_is_the_same_bytes_in_every_folder(example: Deployment, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b" / "c").mkdir(parents=True)
    first, second = run(example, tmp_path / "a"), run(example, tmp_path / "b" / "c")
    assert digests(first) == digests(second) and digests(first)
    for file in first.rglob("*"):
        assert file.is_dir() or str(tmp_path).encode() not in file.read_bytes()


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_package_describes_itself(example: Deployment, tmp_path: Path) -> None:
    folder = run(example, tmp_path)
    described = json.loads((folder / "deployment.json").read_bytes())
    contract = json.loads((folder / "contract.json").read_bytes())
    assert described["kind"] == example.kind
    assert (described["name"], described["deployment"]) == ("tiny", "online")
    assert described["model_version"] == contract["model_version"]
    assert (folder / "model.onnx").is_file()


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_model_that_did_not_pass_its_gate_is_not_packed(example: Deployment, tmp_path: Path) -> None:
    for name in ("export-main", "evaluate-main", "gate", "prepare", "output"):
        (tmp_path / name).mkdir()
    inputs = {name: tmp_path / name for name in ("export-main", "evaluate-main", "gate", "prepare")}
    plain = {"name": "tiny", "deployments": {"online": parameters(example)}}
    with pytest.raises(StepError, match="gate has not passed"):
        package(plain, inputs, tmp_path / "output", Context(workspace=tmp_path))
    assert not list((tmp_path / "output").iterdir())
