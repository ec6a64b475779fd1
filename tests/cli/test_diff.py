"""`mlspec diff`: grouped by what follows, over files, overlays and git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlspec.cli.main import main
from mlspec.plan.build import build_plan
from mlspec.plan.compare import CONSEQUENCES, compare
from mlspec.spec.load import load_spec
from tests.spec.full_spec import TEXT, write_full

ROOT = Path(__file__).resolve().parents[2]
AFTER_TRAIN = ["export-main", "evaluate-main", "gate", "package-online"]


def git(*words: str, folder: Path) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    write_full(tmp_path)
    (tmp_path / "adult.csv").unlink()  # nothing of the data may be looked at
    return tmp_path


@pytest.fixture
def repository(here: Path) -> Path:
    git("init", "-q", folder=here)
    git("add", "-A", folder=here)
    git("commit", "-qm", "first", folder=here)
    return here


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["diff", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("override", "key", "consequence", "work", "follow"),
    [
        ("data.source.delimiter=';'", "data.source.delimiter", "data", ["ingest", "validate", "prepare"],
         ["train", *AFTER_TRAIN]),
        ("data.split.stratify=false", "data.split.stratify", "data", ["prepare"], ["train", *AFTER_TRAIN]),
        ("seed=8", "seed", "data", ["prepare", "train"], AFTER_TRAIN),
        ("training.optimizer.lr=0.5", "training.optimizer.lr", "train", ["train"], AFTER_TRAIN),
        ("model.dropout=0.2", "model.dropout", "train", ["train", "export-main"], AFTER_TRAIN[1:]),
        ("exports.main.parity.rows=7", "exports.main.parity.rows", "export", ["export-main"],
         AFTER_TRAIN[1:]),
        ("evaluation.slices=[workclass]", "evaluation.slices", "evaluate", ["evaluate-main"],
         ["gate", "package-online"]),
        ("evaluation.gates.0.at_least=0.8", "evaluation.gates[0].at_least", "evaluate", ["gate"], []),
        ("deployments.online.max_rows=7", "deployments.online.max_rows", "package", ["package-online"], []),
        ("monitoring.drift.false_alarms=0.1", "monitoring.drift.false_alarms", "watch", [], []),
        ("deployments.online.port=3001", "deployments.online.port", "cosmetic", [], []),
        ("training.checkpoint.every=1m", "training.checkpoint.every", "cosmetic", [], []),
    ],
)  # fmt: skip
def test_each_change_stands_under_its_widest_consequence(
    here: Path, capsys: pytest.CaptureFixture[str],
    override: str, key: str, consequence: str, work: list[str], follow: list[str],
) -> None:  # fmt: skip
    found = told(capsys, "spec.yaml", override)
    assert [(change["key"], change["consequence"]) for change in found["changes"]] == [(key, consequence)]
    assert found["steps"]["work"] == work and found["changes"][0]["steps"] == work
    assert found["steps"]["follow"] == follow
    every = {name for kind in ("work", "follow", "stay") for name in found["steps"][kind]}
    assert len(every) == 8


def test_the_steps_are_those_whose_parameters_differ(here: Path) -> None:
    overrides = [
        "training.epochs=9",
        "exports.small={kind: onnx}",
        "evaluation.gates=[]",
        "data.max_rejects=0.5",
    ]
    old, new = load_spec(here / "spec.yaml", data=False), load_spec(here / "spec.yaml", overrides, data=False)
    plans = build_plan(old), build_plan(new)
    found = compare((old, plans[0]), (new, plans[1]))
    before = {step.name: step for step in plans[0].steps}
    assert set(found.steps) == {step.name for step in plans[1].steps if step != before.get(step.name)}
    ranks = [list(CONSEQUENCES).index(change.consequence) for change in found.changes]
    assert ranks == sorted(ranks)
    assert {name for change in found.changes for name in change.steps} | {"evaluate-small"} == set(
        found.steps
    )


def test_a_spec_against_itself_differs_in_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "spec.yaml", "spec.yaml"]) == 0
    assert capsys.readouterr().out.startswith(
        "spec.yaml -> spec.yaml: nothing differs\n\nno step works again"
    )
    (here / "b.yaml").write_text("# a note\n" + TEXT.replace("seed: 7", "seed:   7"))
    assert told(capsys, "spec.yaml", "b.yaml")["text_only"] is True


def test_another_name_moves_every_step(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "spec.yaml", "name=other")
    assert found["steps"]["work"] == ["train", *AFTER_TRAIN] and found["steps"]["stay"] == [
        "ingest", "validate", "prepare",
    ]  # fmt: skip
    assert [change["key"] for change in found["changes"]] == ["name"]
    found = told(capsys, "spec.yaml", "data.name=other")
    assert {"ingest", "validate", "prepare"} <= set(found["steps"]["work"])


def test_overlays_and_presets_tell_who_says_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "big.yaml").write_text("training: {epochs: 50}\n")
    found = told(capsys, "spec.yaml", "-c", "big.yaml", "hardware=gpu")
    said = {change["key"]: change["said_at"] for change in found["changes"]}
    assert said["training.epochs"] == "big.yaml:1:20"
    assert said["hardware.accelerator"].startswith("mlspec:conf/hardware/gpu.yaml:")
    assert "preset of mlspec's" in said["hardware.accelerator"]


def test_head_and_a_revision_are_held_against_the_file(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "spec.yaml").write_text(TEXT.replace("lr: 1e-3", "lr: 2e-3"))
    for words in ([], ["spec.yaml"], ["spec.yaml@HEAD"], ["@HEAD"], ["."]):
        found = told(capsys, *words)
        assert [(change["key"], change["before"], change["after"]) for change in found["changes"]] == [
            ("training.optimizer.lr", 0.001, 0.002)
        ], words
    git("commit", "-qam", "second", folder=repository)
    assert told(capsys)["changes"] == []
    assert len(told(capsys, "spec.yaml@HEAD~1", "spec.yaml@HEAD")["changes"]) == 1
    found = told(capsys, "@HEAD~1", "training.epochs=3")
    assert [change["key"] for change in found["changes"]] == ["training.epochs", "training.optimizer.lr"]


def test_presets_and_contracts_of_the_revision_count(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "spec.yaml").write_text(TEXT.replace("  accelerator: auto\n", ""))
    (repository / "conf/hardware").mkdir(parents=True)
    (repository / "conf/hardware/cpu.yaml").write_text("accelerator: auto\n")
    (repository / "contracts").mkdir()
    (repository / "contracts/adult.yaml").write_text("columns: {}\n")
    git("add", "-A", folder=repository)
    git("commit", "-qm", "second", folder=repository)
    (repository / "conf/hardware/cpu.yaml").write_text("accelerator: cpu\n")
    (repository / "contracts/adult.yaml").write_text("columns: {a: 1}\n")
    found = told(capsys)
    assert [(change["key"], change["steps"]) for change in found["changes"]] == [
        ("contracts/adult.yaml", ["validate"]),
        ("hardware.accelerator", ["train"]),
    ]
    assert found["changes"][1]["said_at"] == "conf/hardware/cpu.yaml:1:14"


def test_faults_of_a_revision_are_told_at_its_name(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "spec.yaml").write_text(TEXT.replace("epochs: 5", "epohcs: 5"))
    git("commit", "-qam", "broken", folder=repository)
    (repository / "spec.yaml").write_text(TEXT)
    assert main(["diff"]) == 2
    told_so = capsys.readouterr().err
    assert told_so.startswith("spec.yaml@HEAD:40:3: error: unknown key 'epohcs'") and "/tmp" not in told_so


def test_words_that_name_no_two_things(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, code, said in (
        (["@nowhere"], 2, "no revision 'nowhere'"),
        (["@--all"], 2, "no revision '--all'"),
        (["other.yaml@HEAD"], 3, "no 'other.yaml' at 'HEAD'"),
        (["other.yaml", "spec.yaml"], 3, "no spec at 'other.yaml'"),
        (["spec.yaml", "spec.yaml", "spec.yaml"], 2, "one spec too many"),
        (["-c", "none.yaml"], 3, "no overlay"),
        (["--json", "--markdown"], 2, "two forms"),
    ):
        assert main(["diff", *words]) == code, words
        told_so = capsys.readouterr()
        assert said in told_so.err + told_so.out
    assert not (repository / "x").exists()


def test_outside_of_git_two_specs_must_be_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff"]) == 2
    assert "no git repository" in capsys.readouterr().err


def test_markdown_is_a_table_for_each_consequence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["diff", "spec.yaml", "training.epochs=6", "data.ignore=['a|b`c', fnlwgt]", "--markdown"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(": 2 changes") and "**retrains**" in lines
    rows = [line for line in lines if line.startswith("| `")]
    assert "| `training.epochs` | `5` | `6` | train |" in rows[1]
    assert "a\\|b`c" in rows[0]
    assert all(line.replace("\\|", "").count("|") == 6 for line in rows)


def test_text_shows_what_was_written_of_a_mapping(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "spec.yaml", "model={kind: linear}"]) == 0
    out = capsys.readouterr().out
    assert "model  {kind: mlp, hidden: [128, 128], dropout: 0.1} -> {kind: linear}" in out


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes"])
def test_specs_of_different_workspaces_are_compared(
    repository: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["diff", "spec.yaml", str(ROOT / "examples" / name / "spec.yaml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"name", "model"} & {change["path"][0] for change in found["changes"]}


def test_what_mlspec_itself_makes_otherwise_is_told_as_such(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan.yaml of an older mlspec is made by hand: other defaults, an older revision, the same spec."""
    import hashlib

    from mlspec.plan.plan_file import plan_file
    from mlspec.run.planned import planned

    plan = planned(Path("spec.yaml"), data=False).plan
    for name in (plan.name, plan.data_name):
        folder = repository / "pipelines" / name
        folder.mkdir(parents=True)
        text = (
            plan_file(plan, name)
            .replace("rows: 1000\n", "rows: 500\n")
            .replace("model/mlp: 1", "model/mlp: 0")
        )
        (folder / "plan.yaml").write_text(text)
    lock = {name: hashlib.md5((repository / name).read_bytes()).hexdigest() for name in plan.files}
    listed = "".join(f"    - path: {name}\n      md5: {md5}\n" for name, md5 in lock.items())
    file = repository / "pipelines" / plan.name / "dvc.lock"
    file.write_text(f"stages:\n  plan:\n    deps:\n{listed}")
    git("add", "-A", folder=repository)
    git("commit", "-qm", "written", folder=repository)
    (repository / "spec.yaml").write_text(TEXT.replace("epochs: 5", "epochs: 6"))
    found = told(capsys)
    assert [(change["key"], change["by_mlspec"], change["steps"]) for change in found["changes"]] == [
        ("training.epochs", False, ["train"]),
        ("revisions.model/mlp", True, ["train", "export-main"]),
        ("exports.main.parity.rows", True, ["export-main"]),
    ]
    assert "mlspec itself" in found["changes"][1]["said_at"]
    # Written for another text of the spec, it proves nothing.
    file.write_text(file.read_text().replace(lock["spec.yaml"], "0" * 32))
    git("commit", "-qm", "stale", str(file.relative_to(repository)), folder=repository)
    assert [change["key"] for change in told(capsys)["changes"]] == ["training.epochs"]
