import hashlib
from pathlib import Path

from mlspec.engine.files import write_json
from mlspec.engine.watching.profiles_folder import profiles_folder
from mlspec.sdk.contract import Contract, FittedTarget


def package(folder: Path, version: str, content: bytes) -> Path:
    target = FittedTarget(column="y", kind="number")
    made = Contract(name="a", target=target, inputs=(), outputs=(), model_version=version)
    folder.mkdir()
    write_json(folder / "contract.json", made.model_dump(mode="json"))
    (folder / "model.onnx").write_bytes(content)
    return folder


def test_each_version_has_a_folder_and_a_model_without_one_is_known_by_its_bytes(tmp_path: Path) -> None:
    told = package(tmp_path / "told", "0f3a", b"one")
    silent, other = package(tmp_path / "silent", "", b"one"), package(tmp_path / "other", "", b"two")
    assert profiles_folder(Path("seen"), told) == Path("seen/0f3a")
    assert profiles_folder(Path("seen"), silent).name == hashlib.sha256(b"one").hexdigest()[:12]
    assert profiles_folder(Path("seen"), silent) != profiles_folder(Path("seen"), other)
