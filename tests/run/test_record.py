"""What a run says about itself afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mlspec.errors import CheckFailed, MissingError, StepError, UsageError
from mlspec.run.peak import Peak
from mlspec.run.record import Record, history, latest, read_record
from mlspec.run.rows_of import rows_of
from tests.run.conftest import run, sh


def record_of(workspace: Path) -> Record:
    return read_record(latest(workspace, "small"))


def git(workspace: Path, *words: str) -> str:
    return sh("git", "-c", "user.name=a", "-c", "user.email=a@b", *words, cwd=workspace).stdout.strip()


def test_the_latest_record_lies_beside_the_plan_and_is_the_last_of_the_history(workspace, steps):
    report = run(workspace)
    record = record_of(workspace)
    assert record == read_record(report.record) and history(workspace, "small") == (report.record,)
    assert record.ended == "done" and record.failure is None
    assert [step.done for step in record.steps] == ["ran"] * 7
    assert record.steps[0].reasons == ("never run here",)
    assert all(step.peak_mib > 10 for step in record.steps)
    assert record.metrics == {"main": {"accuracy": 0.9}}
    assert record.intervals["main"].metrics == {"accuracy": (0.85, 0.95)}
    assert [(gate.passed, gate.text) for gate in record.gates] == [(True, "accuracy is 0.9")]
    assert record.versions["dvc"] and record.machine["cpus"] >= 1
    text = latest(workspace, "small").read_text()
    assert (
        str(workspace) not in text and text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    )


def test_the_record_is_nobodys_dependency_and_is_left_alone_where_nothing_is_done(workspace, steps):
    run(workspace)
    before = latest(workspace, "small").read_bytes()
    run(workspace)
    assert latest(workspace, "small").read_bytes() == before and len(history(workspace, "small")) == 1
    latest(workspace, "small").write_text("<<<<<<< ours\n")
    steps.take()
    assert not run(workspace).worked and not run(workspace, locked=True).worked
    assert "run.json" not in (workspace / "pipelines/small/dvc.yaml").read_text()
    with pytest.raises(UsageError, match="is no record of a run"):
        record_of(workspace)
    run(workspace, force=("gate",))
    assert record_of(workspace).steps[-1].done == "ran"


def test_reused_steps_have_no_time_and_no_memory(workspace, steps):
    run(workspace)
    run(workspace, "training.epochs=3")
    found = {step.step: step for step in record_of(workspace).steps}
    assert (found["prepare"].done, found["prepare"].peak_mib) == ("reused", None)
    assert found["train"].done == "ran" and found["train"].reasons == ("training.epochs: 2 -> 3",)
    run(workspace)
    assert {step.step: step.done for step in record_of(workspace).steps}["train"] == "restored"
    before = latest(workspace, "small").read_bytes()
    shutil.rmtree(workspace / "artifacts/small/train")
    assert read_record(run(workspace).record).steps[3].done == "restored"
    assert latest(workspace, "small").read_bytes() == before, "the lock is as it was"


@pytest.mark.parametrize(
    ("fault", "ended"),
    [(ZeroDivisionError("by zero"), "failed"), (KeyboardInterrupt(), "interrupted")],
    ids=["failed", "interrupted"],
)
def test_how_a_run_ended_is_told(workspace, steps, fault, ended):
    steps.failing["train"] = fault
    with pytest.raises((StepError, KeyboardInterrupt)):
        run(workspace)
    record = record_of(workspace)
    assert record.ended == ended and record.failure.step == "train"
    assert record.steps[-1].done == ended
    assert record.failure.error == ("StepError" if ended == "failed" else "KeyboardInterrupt")


def test_a_gate_that_failed_is_told_with_its_verdict(workspace, steps):
    steps.failing["gate"] = CheckFailed("the gate failed")
    with pytest.raises(CheckFailed):
        run(workspace)
    record = record_of(workspace)
    assert record.ended == "failed" and record.metrics["main"] == {"accuracy": 0.9}
    assert [gate.text for gate in record.gates] == ["accuracy is 0.9"]


def test_the_commit_is_told_with_what_differs_from_it(workspace, steps):
    run(workspace)
    assert record_of(workspace).git.revision is None
    git(workspace, "init", "-q")
    git(workspace, "add", "-A")
    git(workspace, "commit", "-qm", "one")
    run(workspace, force=("gate",))
    found = record_of(workspace).git
    assert found.revision == git(workspace, "rev-parse", "HEAD")
    assert (found.changed, found.dirty) == ((), False)
    with open(workspace / "spec.yaml", "a") as file:
        file.write("# mine\n")
    (workspace / "README.md").write_text("decides nothing\n")
    run(workspace, force=("gate",))
    assert (record_of(workspace).git.changed, record_of(workspace).git.dirty) == (("spec.yaml",), True)


def test_intervals_are_taken_from_the_evaluation(workspace, steps):
    content = {"confidence": 0.95, "resamples": 1000, "metrics": {"accuracy": [0.81234567, 0.95], "f1": None}}
    work = steps.work

    def evaluate(parameters, inputs, output, context):
        work(parameters, inputs, output, context)
        (output / "intervals.json").write_text(json.dumps(content))

    sys.modules["mlspec.steps.evaluate"].evaluate = evaluate
    run(workspace)
    found = record_of(workspace).intervals["main"]
    assert found.confidence == 0.95 and found.metrics == {"accuracy": (0.812346, 0.95), "f1": None}


def test_rows_are_counted_from_the_steps_own_files(tmp_path):
    (tmp_path / "manifest.json").write_text('{"rows": 10, "rejected": 1}')
    (tmp_path / "ledger.json").write_text(
        '{"read": 10, "rejected": {"rows": 1, "reasons": []}, "train": 6, "val": 1, "test": 2}'
    )
    (tmp_path / "metrics.json").write_text('{"rows": 2, "accuracy": 1.0}')
    assert rows_of("ingest", tmp_path) == {"read": 10, "rejected": 1}
    assert rows_of("prepare", tmp_path) == {"read": 10, "rejected": 1, "train": 6, "val": 1, "test": 2}
    assert rows_of("evaluate", tmp_path) == {"scored": 2}
    assert rows_of("train", tmp_path) == {} == rows_of("validate", tmp_path)


def test_peak_sees_this_process_and_its_children():
    size = 200 * 2**20
    before = psutil.Process().memory_info().rss
    with Peak() as peak:
        held = bytearray(b"x") * size
        del held
        child = subprocess.Popen(
            [sys.executable, "-c", f"x = bytearray(b'x') * {size}; print(1, flush=True); input()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        child.stdout.readline()
        peak._look()
        child.communicate(b"\n")
    assert peak.bytes > before + size * 0.9


def test_a_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingError, match="no record of a run"):
        read_record(tmp_path / "run.json")
