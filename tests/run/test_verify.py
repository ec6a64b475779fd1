"""Work done again from the raw data equals the lock, or the difference is named; tiny steps, the real DVC."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.engine.files import read_json, write_json
from mlspec.errors import MissingError, PlanError, UsageError
from mlspec.run.record import latest
from mlspec.run.verify import verify
from tests.run.conftest import ROOT, run, sh
from tests.run.test_walk import ALL


def everything(folder: Path) -> dict[str, str]:
    """Return the hash of each file but the one that says who holds the workspace."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "run.lock"
    }


def commit(workspace: Path, first: bool = False) -> None:
    if first:
        sh("git", "init", "-q", cwd=workspace)
        (workspace / ".gitignore").write_text("/artifacts/\n/.mlspec/\n/data/\n")
    sh("git", "add", "-A", cwd=workspace)
    sh("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", cwd=workspace)


def differing(steps, monkeypatch, step: str) -> None:
    """Let a step write another file than it did, as another version of a library might."""
    kind = step.partition("-")[0]

    def work(parameters, inputs, output, context):
        steps.work(parameters, inputs, output, context)
        if kind == "train":
            (output / "weights.safetensors").write_text("other")
        if kind == "evaluate":
            (output / "metrics.json").write_text(json.dumps({"accuracy": 0.8}))

    monkeypatch.setattr(sys.modules[f"mlspec.steps.{kind}"], kind, work)


def test_equal_work_is_equal_and_the_workspace_is_as_it_was(workspace, steps, monkeypatch, capsys):
    run(workspace)
    steps.take()
    before = everything(workspace)
    found = verify(workspace / "spec.yaml")
    assert steps.take() == ALL, "nothing may come from the run cache"
    assert found.first is None and [step.step for step in found.steps] == ALL
    assert found.metrics == {"main": {"accuracy": (0.9, 0.9)}} and found.versions == {} and found.notes == ()
    assert everything(workspace) == before and not list((workspace / ".mlspec/tmp").iterdir())
    monkeypatch.chdir(workspace)
    assert main(["verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True


def test_the_first_step_and_file_that_differ_are_named_with_measures_and_versions(
    workspace, steps, monkeypatch, capsys
):
    run(workspace)
    record = read_json(latest(workspace, "small"))
    record["versions"]["python"] = "3.1.0"
    write_json(latest(workspace, "small"), record)
    differing(steps, monkeypatch, "train")
    differing(steps, monkeypatch, "evaluate-main")
    found = verify(workspace / "spec.yaml")
    assert found.first.step == "train" and found.first.files == ("weights.safetensors",)
    assert [step.step for step in found.steps if step.equal] == [*ALL[:3], "gate"]
    assert found.metrics["main"] == {"accuracy": (0.9, 0.8)}
    assert found.versions["python"][0] == "3.1.0"
    monkeypatch.chdir(workspace)
    assert main(["verify"]) == 1
    told = capsys.readouterr().out
    assert "  DIFFERS  train: weights.safetensors\n" in told and "  accuracy  0.9000  0.8000\n" in told
    assert told.endswith("the first step that differs is train: weights.safetensors\n")


def test_without_the_old_files_the_step_is_still_named(workspace, steps, monkeypatch):
    run(workspace)
    for folder in ("artifacts", ".dvc/cache"):
        shutil.rmtree(workspace / folder)
    assert verify(workspace / "spec.yaml").first is None
    differing(steps, monkeypatch, "train")
    found = verify(workspace / "spec.yaml", until="train")
    assert (found.first.step, found.first.files) == ("train", ())
    assert len(found.steps) == 4


def test_raw_data_that_is_not_here_ends_with_3(workspace, steps, monkeypatch):
    run(workspace)
    data = workspace / "data/rows.csv"
    content = data.read_text()
    data.write_text(content + "5,6,yes\n")
    with pytest.raises(MissingError, match=r"'data/rows.csv' is not the file that the lock names"):
        verify(workspace / "spec.yaml")
    data.unlink()
    monkeypatch.chdir(workspace)
    assert main(["verify"]) == 3
    # DVC's cache may hold it: it was added there once.
    digest = hashlib.md5(content.encode()).hexdigest()
    cached = workspace / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_text(content)
    assert verify(workspace / "spec.yaml").first is None


def test_an_older_revision_is_built_from_its_own_files(workspace, steps, monkeypatch, capsys):
    run(workspace)
    commit(workspace, first=True)
    spec = workspace / "spec.yaml"
    spec.write_text(spec.read_text().replace("lr: 0.001", "lr: 0.003"))
    run(workspace)
    commit(workspace)
    spec.write_text(spec.read_text().replace("lr: 0.003", "lr: 0.005"))
    assert verify(spec, "HEAD~1").first is None and verify(spec, "HEAD").first is None
    (note,) = verify(spec).notes
    assert note == "'spec.yaml' was edited since: what is verified is the plan that was run"
    with pytest.raises(UsageError, match="git knows no revision 'HEAD~7'"):
        verify(spec, "HEAD~7")
    monkeypatch.chdir(workspace)
    assert main(["verify", "HEAD~1"]) == 0
    assert "against the lock of 'HEAD~1'" in capsys.readouterr().out
    assert main(["verify", "spec.yaml", "HEAD", "more"]) == 2
    assert main(["verify", "--until", "trian"]) == 2


def test_a_folder_of_data_is_taken_from_the_commit(workspace, steps):
    spec = workspace / "spec.yaml"
    spec.write_text(
        spec.read_text().replace("data/rows.csv", "data/*.csv") + "validation: {contract: c.yaml}\n"
    )
    run(workspace)
    sh("git", "init", "-q", cwd=workspace)
    commit(workspace)
    (workspace / "data/more.csv").write_text("a,b,y\n5,6,yes\n")
    assert verify(spec).first.step == "ingest"
    assert verify(spec, "HEAD").first is None


def test_a_path_that_leaves_the_workspace_is_refused(workspace, steps):
    (workspace.parent / "rows.csv").write_text("a,b,y\n1,2,yes\n")
    spec = workspace / "spec.yaml"
    spec.write_text(spec.read_text().replace("data/rows.csv", "../rows.csv"))
    run(workspace)
    with pytest.raises(MissingError, match=r"'\.\./rows\.csv' lies outside the workspace"):
        verify(spec)


def test_a_plan_that_is_none_is_told_and_writes_nowhere(workspace, steps):
    run(workspace)
    file = workspace / "pipelines/small/dvc.yaml"
    text = file.read_text()
    for old, new in (
        ("  export-main:\n    cmd", "  export-../../../../out:\n    cmd"),
        ("stages:", "stages: 7\nother:"),
        ("stages:", "<<<<<<< ours"),
    ):
        assert old in text
        file.write_text(text.replace(old, new))
        before = everything(workspace.parent)
        with pytest.raises(PlanError, match="what lies in 'pipelines/small' is no plan"):
            verify(workspace / "spec.yaml")
        assert everything(workspace.parent) == before


@pytest.mark.slow
def test_a_real_model_is_built_again_bit_for_bit_and_names_its_commit(tmp_path, site, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples/wine", tmp_path / "wine")
    monkeypatch.chdir(tmp_path / "wine")
    sh("git", "init", "-q", cwd=Path())
    assert main(["run"]) == 0
    commit(Path())
    capsys.readouterr()
    assert main(["verify", "HEAD", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True
    head = sh("git", "rev-parse", "HEAD", cwd=Path()).stdout.strip()
    assert main(["show", "artifacts/wine/package-online/model.onnx", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["found"] == ["here", head] and told["split"]["rows"]["test"] == 53
    assert main(["show", "artifacts/wine/export-main/model.onnx"]) == 0
    assert f"commit {head}, and the lock that lies here" in capsys.readouterr().out


def test_what_was_never_run_cannot_be_verified(workspace, steps):
    with pytest.raises(MissingError, match="there is no plan in 'pipelines/small'"):
        verify(workspace / "spec.yaml")
