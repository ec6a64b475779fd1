"""Two branches that both ran, merged: whatever git left of generated files, a run makes it right again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from mlspec.cli.main import main
from mlspec.errors import StepError
from mlspec.plan.sides import sides
from mlspec.run.planned import planned
from mlspec.run.status import status
from mlspec.run.watch import Watch
from tests.run.conftest import run
from tests.run.test_store import locks
from tests.run.test_walk import ALL, tree

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")
SPEC = """\
apiVersion: mlspec/v1
name: small

data:
  source: {kind: csv, path: data/rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features:
    a: number
    b: number

model:
  kind: mlp
  hidden: [4]

training:
  epochs: 2

  optimizer:
    kind: adamw

    lr: 0.001
exports:
  main: onnx
"""
CHANGES = {
    # Far apart: git merges the parameters by itself, and the results of both sides are in each other's way.
    "keys": (("hidden: [4]", "hidden: [8]"), ("lr: 0.001", "lr: 0.004")),
    # Side by side: every generated file has conflicts.
    "exports": (
        ("  main: onnx\n", "  main: onnx\n  left: onnx\n"),
        ("  main: onnx\n", "  main: onnx\n  right: onnx\n"),
    ),
}
MERGED = {
    "keys": SPEC.replace("[4]", "[8]").replace("0.001", "0.004"),
    "exports": SPEC + "  left: onnx\n  right: onnx\n",
}  # fmt: skip
PIECES = {"metrics/small.json": "mlspec accept", ".dvc/config": "take one side", "spec.yaml": ""}
WORDS = (
    "run --locked", "step small train", "verify", "plan --check", "show last", "report", "diff HEAD",
    "why model",
)  # fmt: skip
GENERATED = ("plan.yaml", "dvc.yaml", "dvc.lock", "run.json")


class Heard(Watch):
    """Keeps what is said."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def said(self, line: str) -> None:
        self.lines.append(line)


def git(folder: Path, *words: str, code: int | None = 0) -> str:
    done = subprocess.run(["git", *AUTHOR, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture
def branches(workspace: Path, steps, request: pytest.FixtureRequest) -> Path:
    """Return a workspace on `ours`, beside a branch `theirs`: each changed the spec, ran, and committed."""
    ours, theirs = CHANGES[request.param]
    (workspace / "spec.yaml").write_text(SPEC)
    git(workspace, "init", "-q", "-b", "ours")
    run(workspace)
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "base")
    git(workspace, "branch", "theirs")
    for branch, (old, new) in (("theirs", theirs), ("ours", ours)):
        git(workspace, "checkout", "-q", branch)
        assert old in SPEC
        (workspace / "spec.yaml").write_text(SPEC.replace(old, new))
        run(workspace)
        git(workspace, "commit", "-qam", branch)
    steps.take()
    return workspace


def merge(workspace: Path, how: str, spec: str) -> None:
    """Merge `theirs` as somebody in a hurry does."""
    git(
        workspace,
        "merge",
        *(("-X", how[2:]) if how.startswith("X ") else ()),
        "theirs",
        "-m",
        "merge",
        code=None,
    )
    (workspace / "spec.yaml").write_text(spec)
    for name in git(workspace, "diff", "--name-only", "--diff-filter=U").split():
        if name != "spec.yaml" and how in ("ours", "theirs"):
            git(workspace, "checkout", f"--{how}", "--", name)


@pytest.mark.parametrize(
    ("how", "branches"),
    [
        ("X ours", "keys"),
        ("markers", "exports"),
        *(
            pytest.param(how, branches, marks=pytest.mark.slow)
            for how in ("ours", "theirs", "X ours", "X theirs", "markers")
            for branches in MERGED
            if (how, branches) not in (("X ours", "keys"), ("markers", "exports"))
        ),
    ],
    indirect=["branches"],
)
def test_a_run_makes_a_merge_right_whichever_side_was_taken(
    branches, steps, how, request, monkeypatch, capsys
):
    merge(branches, how, MERGED[request.node.callspec.params["branches"]])
    if how == "markers":
        left = [file for file in branches.glob("pipelines/small/*") if sides(file.read_text())]
        assert branches / "pipelines/small/dvc.lock" in left
    monkeypatch.chdir(branches)
    assert main(["plan"]) == 0
    assert "nothing to do" not in capsys.readouterr().out
    run(branches)
    fresh = branches.with_name("fresh")
    shutil.copytree(
        branches, fresh, ignore=shutil.ignore_patterns("artifacts", "pipelines", ".dvc", ".mlspec", ".git")
    )
    run(fresh)
    assert locks(branches) == locks(fresh)
    assert tree(branches / "artifacts") == tree(fresh / "artifacts")
    for name in GENERATED[:2]:
        for pipeline in ("small", "data-small"):
            file = Path("pipelines", pipeline, name)
            assert (branches / file).read_bytes() == (fresh / file).read_bytes()
    steps.take()
    assert not run(branches, locked=True).worked


@pytest.mark.parametrize("taken", [0, 1])
def test_of_a_lock_with_both_sides_each_step_is_taken_from_the_one_that_fits(workspace, steps, taken):
    file, texts = workspace / "pipelines/small/dvc.lock", []
    specs = [SPEC.replace(*change) for change in CHANGES["keys"]]
    for spec in specs:
        (workspace / "spec.yaml").write_text(spec)
        run(workspace)
        texts.append(file.read_text())
    (workspace / "spec.yaml").write_text(specs[taken])
    shutil.rmtree(workspace / ".dvc/cache/runs")
    file.write_text(f"<<<<<<< ours\n{texts[0]}||||||| base\n=======\n{texts[1]}>>>>>>> theirs\n")
    found = planned(workspace / "spec.yaml")
    verdicts = {judgement.verdict for judgement in status(found.plan, workspace)}
    steps.take()
    lines: list[str] = []
    run(workspace, watch=Heard(lines))
    assert steps.take() == []
    assert verdicts <= {"reuse", "restore"}
    assert any("each step was taken from the side that fits the spec" in line for line in lines)
    assert file.read_text() == texts[taken]


@pytest.mark.parametrize("branches", ["exports"], indirect=True)
def test_files_of_a_merge_are_told_of_in_a_line_where_nothing_may_be_written(branches, monkeypatch, capsys):
    merge(branches, "markers", MERGED["exports"])
    monkeypatch.chdir(branches)
    for words in (
        ["run", "--locked"],
        ["step", "small", "train"],
        ["verify"],
        ["plan", "--check"],
        ["show", "last"],
        ["report"],
        ["diff", "HEAD"],
        ["why", "model"],
    ):
        code = main(words)
        told = capsys.readouterr()
        assert "stumbled" not in told.err and "Traceback" not in told.err, words
        assert code in (0, 2, 3, 10), (words, told.err)
        if code in (2, 3):
            assert "fix:" in told.err, words


@pytest.mark.parametrize(
    "file",
    [
        "pipelines/small/plan.yaml",
        "pipelines/data-small/plan.yaml",
        "pipelines/small/dvc.yaml",
        "pipelines/small/run.json",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n",
        *(pytest.param(text, marks=pytest.mark.slow) for text in ("", "\0", "[]\n")),
    ],
)
def test_a_generated_file_in_pieces_is_written_anew(workspace, steps, file, text):
    spec = SPEC.replace("  features:\n    a: number\n    b: number\n", "  features: auto\n")
    (workspace / "spec.yaml").write_text(spec)
    run(workspace)
    place = workspace / file
    wanted = place.read_bytes()
    place.write_text(text)
    run(workspace, force=["gate"])
    assert steps.take() == [*ALL, "gate"]
    if not file.endswith("run.json"):
        assert place.read_bytes() == wanted


def test_a_choice_that_both_sides_share_survives_a_merge(workspace, steps):
    spec = SPEC.replace("  features:\n    a: number\n    b: number\n", "  features: auto\n")
    (workspace / "spec.yaml").write_text(spec)
    run(workspace)
    file = workspace / "pipelines/data-small/plan.yaml"
    text = file.read_text().replace("kind: binary\n      positive: null", "kind: number")
    file.write_text("<<<<<<< a\n# one\n=======\n# two\n>>>>>>> b\n" + text)
    assert "kind: number" in text
    run(workspace)
    assert "impute: mean" in file.read_text()[: file.read_text().index("left_out")]


def test_a_stage_that_is_there_twice_is_no_traceback(workspace, steps):
    run(workspace)
    file = workspace / "pipelines/small/dvc.lock"
    text = file.read_text()
    file.write_text(text + text[text.index("  gate:\n") :])
    run(workspace)
    assert file.read_text() == text


def test_a_stage_of_another_spec_leaves_the_lock_with_the_next_run(workspace, steps):
    (workspace / "spec.yaml").write_text(MERGED["exports"])
    run(workspace)
    (workspace / "spec.yaml").write_text(SPEC)
    run(workspace)
    text = (workspace / "pipelines/small/dvc.lock").read_text()
    assert "export-left" not in text and "export-main" in text
    found = planned(workspace / "spec.yaml")
    assert {judgement.verdict for judgement in status(found.plan, workspace)} == {"reuse"}


def test_a_baseline_and_settings_in_pieces_are_told_with_their_mend(workspace, steps, monkeypatch, capsys):
    gates = "evaluation: {gates: [{metric: accuracy, against: baseline, may_drop: 0.1}]}\n"
    (workspace / "spec.yaml").write_text(SPEC + gates)
    run(workspace)
    monkeypatch.chdir(workspace)
    assert main(["accept"]) == 0
    for name, word in (
        ("metrics/small.json", "mlspec accept"),
        (".dvc/config", "take one side"),
        ("spec.yaml", ""),
    ):
        file = workspace / name
        text = file.read_text()
        file.write_text("<<<<<<< a\n" + text + "=======\n" + text + ">>>>>>> b\n")
        capsys.readouterr()
        assert main(["run", "--force", "gate"]) in (1, 2, 3)
        told = capsys.readouterr().err
        assert "stumbled" not in told and name in told and word in told, told
        file.write_text(text)


def test_a_forged_entry_is_not_restored_and_the_old_folder_stays_until_the_work_is_done(workspace, steps):
    run(workspace)
    first = tree(workspace / "artifacts/small/train")
    file = workspace / "pipelines/small/dvc.lock"
    (workspace / "spec.yaml").write_text((workspace / "spec.yaml").read_text().replace("0.001", "0.009"))
    run(workspace, until="train")
    forged = file.read_text()
    (workspace / "spec.yaml").write_text((workspace / "spec.yaml").read_text().replace("0.009", "0.005"))
    file.write_text(forged.replace("lr: 0.009", "lr: 0.005"))
    shutil.rmtree(workspace / "artifacts/small/train")
    steps.take()
    steps.failing["train"] = ZeroDivisionError("by zero")
    with pytest.raises(StepError):
        run(workspace)
    assert not (workspace / "artifacts/small/train").exists()
    steps.failing.clear()
    run(workspace)
    assert steps.take()[:2] == ["train", "train"]
    assert '"lr": 0.005' in (workspace / "artifacts/small/train/model.json").read_text()
    assert tree(workspace / "artifacts/small/train") != first


def test_a_folder_that_does_not_say_what_it_was_made_of_is_made_again(workspace, steps, monkeypatch):
    run(workspace)
    monkeypatch.chdir(workspace)
    (workspace / "artifacts/small/gate/made_of.json").unlink()
    with Repo(str(workspace)) as repo:
        repo.commit("pipelines/small/dvc.yaml", force=True)
    steps.take()
    found = planned(workspace / "spec.yaml")
    (gate,) = (one for one in status(found.plan, workspace) if one.step.name == "gate")
    assert gate.reasons == ("it does not say what it was made of: there is no made_of.json",)
    run(workspace)
    assert steps.take() == ["gate"]
