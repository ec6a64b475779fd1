"""What DVC in a shell, a killed process and a second run do to a workspace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mlspec.errors import MissingError
from mlspec.run._lock_loader import LockLoader
from mlspec.run.mend import mend
from mlspec.run.planned import planned
from tests.run.conftest import run, sh


def locks(workspace: Path) -> dict[str, bytes]:
    return {
        file.parent.name: file.read_bytes() for file in sorted((workspace / "pipelines").glob("*/dvc.lock"))
    }


def test_dvc_repro_in_a_shell_leaves_the_same_lock(workspace, commands):
    sh("mlspec", "run", cwd=workspace)
    walked = locks(workspace)
    for file in (workspace / "pipelines").glob("*/dvc.lock"):
        file.unlink()
    sh("rm", "-rf", "artifacts", ".dvc/cache", cwd=workspace)
    done = sh("dvc", "repro", "pipelines/small/dvc.yaml", cwd=workspace)
    assert "Running stage 'pipelines/small/dvc.yaml:gate'" in done.stdout
    assert locks(workspace) == walked
    assert "nothing to do" in sh("mlspec", "run", cwd=workspace).stdout


def test_nothing_to_do_after_one_means_nothing_to_do_for_the_other(workspace, commands):
    sh("mlspec", "run", cwd=workspace)
    walked = locks(workspace)
    done = sh("dvc", "repro", "pipelines/small/dvc.yaml", cwd=workspace)
    assert "Running stage" not in done.stdout
    assert locks(workspace) == walked


def test_dvc_repro_refuses_a_plan_older_than_its_spec(workspace, commands):
    sh("mlspec", "run", cwd=workspace)
    spec = workspace / "spec.yaml"
    spec.write_text(spec.read_text().replace("lr: 0.001", "lr: 0.003"))
    done = sh("dvc", "repro", "pipelines/small/dvc.yaml", cwd=workspace, code=None)
    assert done.returncode != 0
    assert "the spec has changed" in done.stderr and "mlspec plan --write" in done.stderr
    assert "small/dvc.yaml:train" not in done.stdout
    sh("mlspec", "plan", "--write", cwd=workspace)
    assert "small/dvc.yaml:train" in sh("dvc", "repro", "pipelines/small/dvc.yaml", cwd=workspace).stdout
    assert "nothing to do" in sh("mlspec", "run", cwd=workspace).stdout


def test_a_second_run_says_at_once_who_works_here(workspace, commands, monkeypatch):
    monkeypatch.setenv("FAKE_STEP_SECONDS", "0.5")
    first = subprocess.Popen(["mlspec", "run"], cwd=workspace, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        lock = workspace / ".mlspec/run.lock"
        deadline = time.monotonic() + 60
        while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        second = sh("mlspec", "run", cwd=workspace, code=3)
        assert (
            f"pid {first.pid}" in second.stderr
            and "mlspec run" in second.stderr
            and "--wait" in second.stderr
        )
        monkeypatch.setenv("FAKE_STEP_SECONDS", "0")
        waited = sh("mlspec", "run", "--wait", cwd=workspace)
        assert f"waiting for pid {first.pid}" in waited.stderr
        assert "nothing to do" in waited.stdout
        assert first.wait(60) == 0
    finally:
        first.kill()
        first.communicate()


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_lock(workspace, commands, monkeypatch):
    sh("mlspec", "run", cwd=workspace)
    wanted = locks(workspace)
    monkeypatch.setenv("FAKE_STEP_SECONDS", "0.05")
    for delay in (0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.8):
        for file in (workspace / "pipelines").glob("*/dvc.lock"):
            file.unlink()
        sh("rm", "-rf", "artifacts", ".dvc/cache", cwd=workspace)
        run = subprocess.Popen(
            ["mlspec", "run"],
            cwd=workspace,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        sh("mlspec", "run", cwd=workspace)
        assert locks(workspace) == wanted
        assert not list((workspace / ".mlspec/tmp").iterdir())


@pytest.mark.parametrize("torn", ['{"write": {', "", "[]"])
def test_a_torn_rwlock_is_removed(workspace, steps, torn):
    run(workspace)
    (workspace / ".dvc/tmp/rwlock").write_text(torn)
    assert not run(workspace).worked
    run(workspace, force=["train"])


def test_locks_of_dead_processes_are_dropped(workspace, steps):
    run(workspace)
    dead = subprocess.Popen(["true"])
    dead.wait()
    folder = str(workspace / "artifacts/small/train")
    entry = {"pid": dead.pid, "cmd": "mlspec run"}
    (workspace / ".dvc/tmp/rwlock").write_text(
        json.dumps({"write": {folder: entry}, "read": {folder: [entry]}})
    )
    plan = planned(workspace / "spec.yaml").plan
    assert mend(workspace, plan) == ("removed locks of processes that were killed",)
    run(workspace, force=["train"])


def test_rows_that_dead_processes_left_on_disk_are_removed_and_those_of_a_living_one_kept(workspace, steps):
    dead, living = subprocess.Popen(["true"]), subprocess.Popen(["sleep", "30"])
    dead.wait()
    scratch = workspace / ".mlspec" / "scratch"
    names = [f"old.ingest-1/rows-{dead.pid}/a.parquet", f"old.ingest-1/duckdb-{dead.pid}/a.tmp"]
    names += [f"old.prepare-2/rows-{living.pid}/a.parquet", f"old.train-3/rows-{dead.pid}/a.parquet"]
    for name in (*names, "old.train-3/training.ckpt"):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes(b"")
    try:
        run(workspace)
    finally:
        living.kill()
        living.wait()
    left = {path.relative_to(scratch).as_posix() for path in scratch.rglob("*") if path.is_file()}
    assert left == {names[2], "old.train-3/training.ckpt"} and not (scratch / "old.ingest-1").exists()


def test_a_living_process_keeps_its_locks(workspace, steps):
    run(workspace)
    living = subprocess.Popen(["sleep", "30"])
    try:
        folder = str(workspace / "artifacts/small/train")
        content = {"write": {folder: {"pid": living.pid, "cmd": "dvc repro"}}, "read": {}}
        (workspace / ".dvc/tmp/rwlock").write_text(json.dumps(content))
        assert mend(workspace, planned(workspace / "spec.yaml").plan) == ()
        with pytest.raises(MissingError, match=f"PID {living.pid}"):
            run(workspace, force=["train"])
    finally:
        living.kill()
        living.wait()


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.97])
def test_a_torn_lock_is_set_aside_and_the_cache_restores(workspace, steps, keep):
    run(workspace)
    steps.take()
    wanted = locks(workspace)
    file = workspace / "pipelines/small/dvc.lock"
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * keep)])
    run(workspace)
    assert locks(workspace) == wanted
    assert steps.take() == []


def test_push_clone_and_run_does_no_work(workspace, commands, tmp_path):
    sh("git", "init", "-q", cwd=workspace)
    sh("mlspec", "run", cwd=workspace)
    sh("dvc", "remote", "add", "-d", "store", str(tmp_path / "store"), cwd=workspace)
    sh("dvc", "push", "--run-cache", cwd=workspace)
    sh("git", "add", ".", cwd=workspace)
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    sh("git", *author, "commit", "-qm", "a", cwd=workspace)
    tracked = sh("git", "ls-files", cwd=workspace).stdout.split()
    assert not [name for name in tracked if name.startswith(("artifacts", ".mlspec"))]
    assert {"contracts/small.yaml", "pipelines/small/plan.yaml", "pipelines/data-small/dvc.lock"} <= set(
        tracked
    )
    clone = tmp_path / "clone"
    sh("git", "clone", "-q", str(workspace), str(clone), cwd=tmp_path)
    done = sh("mlspec", "run", cwd=clone)
    assert " ran " not in done.stderr and "0 ran, 7 restored" in done.stdout
    assert sh("git", "status", "--porcelain", cwd=clone).stdout == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 1e-05),
        ("no", "no"),
        ("12:30", "12:30"),
        ("017", "017"),
        ("true", True),
        ("~", None),
        ("3", 3),
    ],
)
def test_dvc_lock_is_read_as_yaml_1_2(text, value):
    import yaml

    assert yaml.load(f"a: {text}", Loader=LockLoader) == {"a": value}
