"""Which commit made a file is told by content: the export's parameters and the folders it was made of."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlspec.engine.provenance import digest
from mlspec.plan.plan import Step
from mlspec.run.locked import locked_inputs
from mlspec.run.locked_at import HERE, locked_at
from tests.run.conftest import sh

OPTIONS = {"name": "small", "exports": {"main": {"kind": "onnx", "rtol": 1e-05}}, "revisions": {"x": 1}}


def told(train: str) -> dict:
    parameters = {"export-main": digest(OPTIONS)}
    return {"name": "small", "export": "main", "parameters": parameters, "locks": {"train": train}}


def write_lock(root: Path, train: str) -> None:
    outs = [{"path": "artifacts/small/train", "hash": "md5", "md5": train}]
    stages = {
        "train": {"cmd": "x", "outs": outs},
        "export-main": {
            "cmd": "x",
            "deps": outs,
            "params": {"pipelines/small/plan.yaml": {"export-main": OPTIONS}},
        },
    }
    file = root / "pipelines/small/dvc.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def commit(root: Path) -> str:
    sh("git", "add", "-A", cwd=root)
    sh("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", cwd=root)
    return sh("git", "rev-parse", "HEAD", cwd=root).stdout.strip()


@pytest.mark.parametrize("below", ["", "models/here"], ids=["root", "below the root"])
def test_the_commit_with_that_lock_is_found(tmp_path, below):
    root = tmp_path / below
    root.mkdir(parents=True, exist_ok=True)
    sh("git", "init", "-q", cwd=tmp_path)
    write_lock(root, "a.dir")
    assert locked_at(told("a.dir"), root) == (HERE,)
    first = commit(root)
    assert locked_at(told("a.dir"), root) == (HERE, first)
    write_lock(root, "b.dir")
    second = commit(root)
    assert locked_at(told("a.dir"), root) == (first,)
    assert locked_at(told("b.dir"), root) == (HERE, second)
    assert locked_at(told("c.dir"), root) == ()
    assert locked_at(told("a.dir") | {"parameters": {"export-main": "0"}}, root) == ()
    assert locked_at(told("a.dir") | {"locks": {}}, root) == ()
    assert locked_at(told("a.dir") | {"name": "../small"}, root) == ()


def test_outside_git_only_the_lock_that_lies_here_is_known(tmp_path):
    assert locked_at(told("a.dir"), tmp_path) == ()
    write_lock(tmp_path, "a.dir")
    assert locked_at(told("a.dir"), tmp_path) == (HERE,)
    (tmp_path / "pipelines/small/dvc.lock").write_text("<<<<<<< ours\n- [")
    assert locked_at(told("a.dir"), tmp_path) == ()


def test_a_step_is_told_the_locks_of_what_it_reads(tmp_path):
    step = Step(
        "export-main", "small", {}, {"train": "artifacts/small/train", "prepare": "artifacts/d/prepare"}
    )
    assert locked_inputs(tmp_path, step) == {}
    write_lock(tmp_path, "a.dir")
    assert locked_inputs(tmp_path, step) == {"train": "a.dir"}
