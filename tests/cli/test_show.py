"""What `show` prints is a spec, and `why` knows which steps a key reaches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.plan.build import build_plan
from mlspec.plan.plan import Plan
from mlspec.run.planned import planned
from mlspec.spec.load import load
from tests.spec.full_spec import TEXT, write_full

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("examples/*/spec.yaml"))


def plan_of(path: Path) -> Plan:
    return build_plan(load(path, data=False).spec)


@pytest.mark.parametrize(
    "words", [[], ["--resolved"], ["--comments"], ["--resolved", "--comments"]], ids=" ".join
)
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.parent.name)
def test_what_show_prints_of_an_example_plans_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: Path, words: list[str]
) -> None:
    assert main(["show", str(spec), *words]) == 0
    text = capsys.readouterr().out
    (tmp_path / "spec.yaml").write_text(text)
    assert plan_of(tmp_path / "spec.yaml") == plan_of(spec)
    assert text.count("#") > 20 or "--comments" not in words


def test_a_default_that_may_not_be_said_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", str(ROOT / "examples/wine/spec.yaml"), "--resolved", "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert "threshold" not in tree["data"]["target"] and tree["data"]["max_rejects"] == 0
    assert "optimizer" not in tree["training"] and tree["model"]["kind"] == "gradient_boosting"


def test_signs_that_mean_something_come_back_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd = TEXT.replace('">50K"', "'\\${a} # no: \"x\" | y'").replace("hours per week:", '"hours # ${x}: y":')
    write_full(tmp_path, odd.replace('"hours # ${x}: y"', '"hours # x: y"'))
    wanted = load(Path("spec.yaml"), data=False).spec
    assert wanted.data.target.positive == '${a} # no: "x" | y'
    for words in (["--resolved", "--comments"], ["--comments"], ["--resolved"]):
        assert main(["show", *words]) == 0
        (tmp_path / "shown.yaml").write_text(capsys.readouterr().out)
        assert load(Path("shown.yaml"), data=False).spec == wanted


def test_a_comment_says_what_a_key_means_and_where_it_was_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_full(tmp_path)
    assert main(["show", "spec.yaml", "training.epochs=9", "--resolved", "--comments"]) == 0
    lines = capsys.readouterr().out.splitlines()
    above = {line.strip(): lines[number - 1].strip() for number, line in enumerate(lines)}
    assert above["epochs: 9"].endswith("[training.epochs=9:1:17]")
    assert above["lr: 0.001"].endswith("[spec.yaml:42:32]")
    assert any(line.strip().startswith("# Learning rate.") for line in lines)
    assert above["devices: 1"].endswith("[mlspec:conf/hardware/cpu.yaml:4:10]")
    assert above["activation: relu"].endswith("[the default]")
    assert main(["show", "--json", "--comments"]) == 2


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        ("seed", ["prepare", "train"]),
        ("data.source", ["ingest", "validate", "prepare"]),
        ("data.target.threshold", ["train"]),
        ("validation.rules[0]", ["validate"]),
        ("model.dropout", ["train", "export-main"]),
        ("evaluation.gates[0].at_least", ["gate"]),
        ("training.checkpoint.every", []),
        ("monitoring.drift", []),
        ("deployments.online.port", []),
        ("deployments.online.max_rows", ["package-online"]),
        ("data.name", ["ingest", "validate", "prepare"]),
    ],
)
def test_why_tells_the_steps(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    steps: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_full(tmp_path)
    assert main(["why", key, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["steps"] == steps
    assert main(["why", key]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("  steps  " + (", ".join(steps) or "none"))


def test_what_why_tells_is_what_a_change_makes_different(tmp_path: Path) -> None:
    """The claim is held against plans of specs in which the key was really changed."""
    from mlspec.plan.affected import affected

    path = write_full(tmp_path)
    before = planned(path, data=False).plan
    for override, key in (
        ("seed=8", ("seed",)),
        ("data.max_rejects=0.5", ("data", "max_rejects")),
        ("training.batch_size=7", ("training", "batch_size")),
        ("exports.main.parity.rows=7", ("exports", "main", "parity", "rows")),
        ("evaluation.metrics=[accuracy,auroc]", ("evaluation", "metrics")),
        ("hardware.accelerator=cpu", ("hardware", "accelerator")),
        ("training.checkpoint.every=1m", ("training", "checkpoint", "every")),
        ("monitoring.drift.false_alarms=0.1", ("monitoring", "drift", "false_alarms")),
    ):
        after = planned(path, [override], data=False).plan
        changed = [step.name for step in after.steps if step != before.step(step.name)]
        assert list(affected(key, before)[0]) == changed, override
