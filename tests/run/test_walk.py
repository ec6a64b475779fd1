"""What a second run does, with tiny steps in the place of the real ones; DVC is the real one."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.errors import CheckFailed, MissingError, PlanError, SpecError, StepError, UsageError
from mlspec.run.planned import planned
from mlspec.run.status import status
from mlspec.run.walk import run_plan
from tests.run.conftest import run

ALL = ["ingest", "validate", "prepare", "train", "export-main", "evaluate-main", "gate"]


def judged(workspace: Path, *overrides: str) -> dict[str, str]:
    found = planned(workspace / "spec.yaml", overrides)
    return {judgement.step.name: judgement.verdict for judgement in status(found.plan, found.workspace)}


def edit(workspace: Path, old: str, new: str, spec: str = "spec.yaml") -> None:
    text = (workspace / spec).read_text()
    assert old in text
    (workspace / spec).write_text(text.replace(old, new))


def tree(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "logs" not in file.parts
    }


def test_the_first_run_does_everything_in_order(workspace, steps):
    report = run(workspace)
    assert steps.take() == ALL
    assert [outcome.done for outcome in report.outcomes] == ["ran"] * 7
    assert report.metrics == {"main": {"accuracy": 0.9}}
    record = json.loads(report.record.read_text())
    assert record["failure"] is None and record["versions"]["dvc"]
    assert (workspace / "contracts/small.yaml").is_file()
    assert not list((workspace / ".mlspec/tmp").iterdir())
    assert not list((workspace / ".mlspec/scratch").iterdir())


def test_nothing_changed_nothing_runs_and_nothing_is_written(workspace, steps):
    run(workspace)
    steps.take()
    before = {
        file: file.stat().st_mtime_ns
        for file in workspace.rglob("*")
        if file.is_file() and ".dvc/" not in str(file)
    }
    report = run(workspace)
    assert steps.take() == []
    assert not report.worked and report.record is None
    after = {
        file: file.stat().st_mtime_ns
        for file in workspace.rglob("*")
        if file.is_file() and ".dvc/" not in str(file)
    }
    lock = workspace / ".mlspec/run.lock"
    assert {**before, lock: 0} == {**after, lock: 0}


def test_a_changed_learning_rate_runs_train_and_what_follows(workspace, steps):
    run(workspace)
    steps.take()
    edit(workspace, "lr: 0.001", "lr: 0.003")
    assert judged(workspace) == dict.fromkeys(ALL[:3], "reuse") | {"train": "run"} | dict.fromkeys(
        ALL[4:], "after"
    )
    report = run(workspace)
    # The tiny evaluate answers the same numbers: the gate has nothing new to read.
    assert steps.take() == ["train", "export-main", "evaluate-main"]
    assert report.outcomes[3].reasons == ("training.optimizer.lr: 0.001 -> 0.003",)


def test_a_profile_is_no_work_and_is_missed_where_nothing_is_trained(workspace, steps, monkeypatch, capfd):
    run(workspace)
    steps.take()
    edit(workspace, "epochs: 2", "epochs: 2, profile: true")
    assert judged(workspace) == dict.fromkeys(ALL, "reuse")
    monkeypatch.chdir(workspace)
    for _ in range(2):
        assert main(["run"]) == 0
        told = capfd.readouterr()
        assert "training.profile: 'train' is not done in this run" in told.err
        assert "`mlspec run --force train`" in told.err and "nothing to do" in told.out
    assert main(["run", "--force", "train"]) == 0
    assert "not done in this run" not in capfd.readouterr().err
    assert steps.take()[0] == "train"


def test_an_old_value_comes_back_from_the_cache(workspace, steps):
    run(workspace)
    first = tree(workspace / "artifacts")
    edit(workspace, "lr: 0.001", "lr: 0.003")
    run(workspace)
    assert tree(workspace / "artifacts") != first
    edit(workspace, "lr: 0.003", "lr: 0.001")
    steps.take()
    report = run(workspace)
    assert steps.take() == []
    assert [outcome.done for outcome in report.outcomes if outcome.done != "reused"] == ["restored"] * 3
    assert tree(workspace / "artifacts") == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x-owner: me", "x-owner: you\nx-team: [1, 2]"),
        ("epochs: 2,", "epochs: 2, checkpoint: {every: 7m},"),
        ("name: small", "name: small  # the small one"),
    ],
)
def test_what_has_no_effect_runs_nothing(workspace, steps, old, new):
    run(workspace)
    steps.take()
    edit(workspace, old, new)
    assert set(judged(workspace).values()) == {"reuse"}
    assert not run(workspace).worked
    assert steps.take() == []


@pytest.mark.parametrize("broken", ["deleted", "edited", "extra", "lock"])
def test_artifacts_come_back_from_the_cache_without_work(workspace, steps, broken):
    run(workspace)
    first = tree(workspace / "artifacts")
    steps.take()
    train = workspace / "artifacts/small/train"
    if broken == "deleted":
        shutil.rmtree(workspace / "artifacts")
    elif broken == "edited":
        model = train / "model.json"
        model.unlink()
        model.write_text("something else")
    elif broken == "extra":
        (train / "extra.txt").write_text("mine")
    else:
        (workspace / "pipelines/small/dvc.lock").unlink()
    assert run(workspace).worked
    assert steps.take() == []
    assert tree(workspace / "artifacts") == first


def test_changed_data_runs_everything_that_reads_it(workspace, steps):
    run(workspace)
    steps.take()
    (workspace / "data/rows.csv").write_text("a,b,y\n1,2,yes\n3,4,no\n5,6,no\n")
    assert judged(workspace)["ingest"] == "run"
    run(workspace)
    assert steps.take()[:4] == ["ingest", "validate", "prepare", "train"]


def test_a_missing_source_is_no_reason_to_work(workspace, steps):
    run(workspace)
    steps.take()
    (workspace / "data/rows.csv").unlink()
    found = planned(workspace / "spec.yaml", data=False)
    report = run_plan(found.plan, found.workspace)
    assert steps.take() == []
    assert "cannot check" in report.outcomes[0].reasons[0]


def test_specs_with_one_data_name_prepare_once(workspace, steps):
    edit(workspace, "data:\n", "data:\n  name: shared\n")
    text = (workspace / "spec.yaml").read_text()
    (workspace / "other.yaml").write_text(text.replace("name: small", "name: other").replace("[4]", "[8]"))
    run(workspace)
    assert steps.take() == ALL
    run(workspace, spec="other.yaml")
    assert steps.take() == ALL[3:]
    assert not run(workspace).worked
    assert sorted(folder.name for folder in (workspace / "artifacts").iterdir()) == [
        "data-shared",
        "other",
        "small",
    ]


def test_a_sample_has_folders_and_a_contract_of_its_own(workspace, steps):
    run(workspace, sample=10)
    assert sorted(folder.name for folder in (workspace / "artifacts").iterdir()) == [
        "data-small-sample-10",
        "small-sample-10",
    ]
    assert not (workspace / "contracts").exists()
    assert steps.take() == ALL
    run(workspace)
    assert steps.take() == ALL


def test_until_only_and_force(workspace, steps):
    run(workspace, until="train")
    assert steps.take() == ALL[:4]
    run(workspace, only="export-main")
    assert steps.take() == ["export-main"]
    run(workspace, only="train", force=["train"])
    assert steps.take() == ["train"]
    run(workspace, force=["export"])
    assert steps.take() == ["export-main", "evaluate-main", "gate"]
    with pytest.raises(UsageError, match="no step 'trian'"):
        run(workspace, until="trian")


def test_only_says_what_is_missing(workspace, steps):
    with pytest.raises(MissingError, match=r"artifacts/data-small/prepare/features\.json"):
        run(workspace, only="train")
    assert steps.take() == []


def test_a_failed_check_keeps_its_report_and_every_number(workspace, steps):
    steps.failing["gate"] = CheckFailed("the gate failed: auroc is 0.5", where="evaluation.gates[0]")
    with pytest.raises(CheckFailed) as failed:
        run(workspace)
    assert failed.value.where == "evaluation.gates[0]"
    assert "artifacts/small/logs/gate/report.json" in failed.value.fix
    assert (workspace / "artifacts/small/logs/gate/report.json").is_file()
    assert not (workspace / "artifacts/small/gate").exists()
    assert (workspace / "artifacts/small/evaluate-main/metrics.json").is_file()
    steps.failing.clear()
    steps.take()
    run(workspace)
    assert steps.take() == ["gate"]


def test_a_step_that_breaks_leaves_the_old_artifact_and_no_rubbish(workspace, steps):
    run(workspace)
    first = tree(workspace / "artifacts/small/train")
    edit(workspace, "lr: 0.001", "lr: 0.003")
    steps.failing["train"] = ZeroDivisionError("by zero")
    with pytest.raises(StepError, match="the step 'train' failed: ZeroDivisionError: by zero"):
        run(workspace)
    assert tree(workspace / "artifacts/small/train") == first
    assert not list((workspace / ".mlspec/tmp").iterdir())
    records = sorted((workspace / "artifacts/small/logs").glob("run-*.json"))
    failure = json.loads(records[-1].read_text())["failure"]
    assert failure["step"] == "train" and "ZeroDivisionError: by zero" in failure["what"]
    assert "Traceback" in records[-1].with_suffix(".txt").read_text()


def test_a_missing_package_is_named_with_its_extra(workspace, steps):
    steps.failing["train"] = ModuleNotFoundError("No module named 'torch'", name="torch")
    with pytest.raises(MissingError) as missing:
        run(workspace)
    assert missing.value.fix == "pip install 'mlspec[train]'"


def test_an_interrupted_step_leaves_no_rubbish_and_the_next_run_goes_on(workspace, steps):
    steps.failing["train"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(workspace)
    assert not list((workspace / ".mlspec/tmp").iterdir())
    (record,) = (workspace / "artifacts/small/logs").glob("run-*.json")
    told = {step["step"]: step["done"] for step in json.loads(record.read_text())["steps"]}
    assert told["prepare"] == "ran"
    assert told["train"] == "interrupted"
    steps.failing.clear()
    steps.take()
    run(workspace)
    assert steps.take() == ALL[3:]


def test_a_part_of_a_plan_reports_no_number_of_an_older_run(workspace, steps):
    assert run(workspace).metrics
    assert run(workspace, until="prepare", force=("prepare",)).metrics == {}


def test_locked_refuses_what_would_be_written(workspace, steps):
    with pytest.raises(PlanError, match=r"plan.yaml' differs"):
        run(workspace, locked=True)
    run(workspace)
    run(workspace, locked=True)
    (workspace / "contracts/small.yaml").unlink()
    with pytest.raises(MissingError, match=r"the contract .contracts/small\.yaml. is missing"):
        run(workspace, locked=True)
    assert not (workspace / "contracts/small.yaml").exists()


def test_an_edited_contract_is_a_reason_to_validate(workspace, steps):
    run(workspace)
    steps.take()
    with open(workspace / "contracts/small.yaml", "a") as file:
        file.write("\n# reviewed\n")
    run(workspace)
    assert steps.take() == ["validate"]


def test_a_source_that_dvc_cannot_see_is_looked_at_in_each_run_and_stops_the_wave(
    workspace, steps, monkeypatch, capfd
):
    edit(workspace, "data/rows.csv", "data/*.csv")
    run(workspace)
    steps.take()
    assert judged(workspace) == {name: "look" if name == "ingest" else "reuse" for name in ALL}
    monkeypatch.chdir(workspace)
    assert main(["plan"]) == 0
    assert capfd.readouterr().out.endswith("nothing to do, unless the source has changed: a run looks\n")
    report = run(workspace)
    assert steps.take() == [], "the fingerprint is the same: nothing is read"
    assert not report.worked
    (workspace / "data/more.csv").write_text("a,b,y\n7,8,yes\n")
    run(workspace)
    assert steps.take()[:4] == ALL[:4]
    for file in (workspace / "data").glob("*.csv"):
        file.unlink()
    assert judged(workspace) == {name: "look" if name == "ingest" else "reuse" for name in ALL}
    report = run(workspace)
    assert report.outcomes[0].reasons == ("cannot check, reused: no file matches 'data/*.csv'",)
    assert steps.take() == []


@pytest.mark.parametrize("path", ["data/rows.csv", "data", "data/*.csv"])
def test_a_source_that_is_away_is_reused_until_something_must_read_it(workspace, steps, path):
    edit(workspace, "data/rows.csv", path)
    run(workspace)
    steps.take()
    (workspace / "data").rename(workspace / "away")
    report = run(workspace)
    assert not report.worked and "cannot check, reused" in report.outcomes[0].reasons[0]
    edit(workspace, "lr: 0.001", "lr: 0.003")
    run(workspace)
    assert steps.take()[0] == "train"
    edit(workspace, f"path: {path}", "path: other/rows.csv")
    with pytest.raises(SpecError, match=r"there is no file 'other/rows\.csv'"):
        run(workspace)


def test_with_features_auto_a_source_that_is_away_keeps_what_was_chosen(workspace, steps):
    edit(workspace, "features:\n    a: number\n    b: number", "features: auto")
    run(workspace)
    steps.take()
    (workspace / "data").rename(workspace / "away")
    assert not run(workspace).worked
    assert steps.take() == []


def test_a_folder_is_watched_and_files_that_are_no_rows_move_nothing(workspace, steps):
    edit(workspace, "data/rows.csv", "data")
    run(workspace)
    steps.take()
    assert set(judged(workspace).values()) == {"reuse"}
    (workspace / "data/README.md").write_text("words")
    run(workspace)
    assert steps.take() == ["ingest"]
    (workspace / "data/more.csv").write_text("a,b,y\n7,8,yes\n")
    run(workspace)
    assert steps.take()[:4] == ALL[:4]


def test_a_killed_run_leaves_no_memo(workspace, steps):
    run(workspace)
    assert (workspace / ".mlspec/memo/small.json").is_file()
    edit(workspace, "lr: 0.001", "lr: 0.003")
    steps.failing["train"] = ZeroDivisionError()
    with pytest.raises(StepError):
        run(workspace)
    assert not (workspace / ".mlspec/memo").exists() or not list((workspace / ".mlspec/memo").iterdir())


def test_the_memo_sees_every_edit(workspace, steps):
    run(workspace)
    steps.take()
    for name in ("artifacts/small/train/model.json", "artifacts/data-small/prepare/shards/train/0.bin"):
        file = workspace / name
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content[::-1])
        assert "restore" in judged(workspace).values()
        assert run(workspace).worked
        assert file.read_bytes() == content
    assert steps.take() == []
    assert not run(workspace).worked


def test_the_three_calls_of_python(workspace, steps, monkeypatch):
    import mlspec

    monkeypatch.chdir(workspace)
    plan = mlspec.build_plan(mlspec.load_spec("spec.yaml"))
    report = mlspec.run_plan(plan)
    assert report.worked and steps.take() == ALL
    assert not mlspec.run_plan(plan, workspace).worked
    with pytest.raises(UsageError):
        mlspec.run_plan(plan, until="nothing")
    with pytest.raises(mlspec.errors.SpecError):
        mlspec.load_spec("spec.yaml", ["training.epochz=3"])


def test_a_plug_in_of_the_workspace_is_a_dependency(workspace, steps, monkeypatch):
    monkeypatch.setenv("MLSPEC_TRUST", "1")
    folder = workspace / "plugins/metric"
    folder.mkdir(parents=True)
    text = (
        "from typing import ClassVar\nfrom mlspec.sdk.metric import Answers, Metric\n\n\n"
        "class Mine(Metric):\n"
        '    targets: ClassVar = ("binary",)\n    better: ClassVar = "higher"\n\n'
        "    def value(self, answers: Answers) -> float:\n        return 1.0\n"
    )
    (folder / "mine.py").write_text(text)
    with open(workspace / "spec.yaml", "a") as file:
        file.write("evaluation: {metrics: [mine]}\n")
    run(workspace)
    assert (
        "plugins/metric/mine.py" in planned(workspace / "spec.yaml").plan.step("evaluate-main").dependencies
    )
    steps.take()
    (folder / "mine.py").write_text(text.replace("1.0", "2.0"))
    run(workspace)
    assert steps.take() == ["evaluate-main"]
    from mlspec import plugins

    plugins.leave()


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("data/rows.csv", "a,b,y\n5,6,yes\n7,8,no\n", "ingest"),
        ("contracts/small.yaml", "columns: {}\n", "validate"),
    ],
)
def test_a_file_that_changes_while_a_step_reads_it_is_told(workspace, steps, monkeypatch, name, text, kind):
    work, moved = steps.work, []

    def disturbed(parameters, inputs, output, context):
        work(parameters, inputs, output, context)
        if not moved:
            moved.append((workspace / name).write_text(text))

    monkeypatch.setattr(sys.modules[f"mlspec.steps.{kind}"], kind, disturbed)
    with pytest.raises(StepError, match=rf"'{name}' changed while '{kind}' read it"):
        run(workspace)
    again = run(workspace)
    assert next(outcome.done for outcome in again.outcomes if outcome.step == kind) == "ran"
