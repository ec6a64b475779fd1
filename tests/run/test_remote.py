"""A second clone of a workspace: what a remote gives it back, and what it says of the rest."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo

from mlspec.cli.main import main
from mlspec.errors import MissingError, SpecError
from mlspec.run.planned import planned
from mlspec.run.status import status
from mlspec.run.watch import Watch
from tests.run.conftest import run, sh
from tests.run.test_store import locks
from tests.run.test_walk import ALL, judged, tree

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve an empty bucket over S3's protocol on this machine; yield its address and the server's."""
    import boto3
    from moto.server import ThreadedMotoServer

    # Keys that mean nothing, and no look for others: neither in the user's files nor on a metadata service.
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="team")
        yield "s3://team/models", endpoint
    finally:
        server.stop()


def commit(workspace: Path) -> None:
    sh("git", "add", ".", cwd=workspace)
    sh("git", *AUTHOR, "commit", "-qm", "a", cwd=workspace)


@pytest.mark.slow
def test_push_to_s3_and_pull_on_a_second_clone_leaves_nothing_to_do(workspace, commands, bucket):
    address, endpoint = bucket
    sh("git", "init", "-q", cwd=workspace)
    sh("mlspec", "run", cwd=workspace)
    sh("dvc", "remote", "add", "-d", "store", address, cwd=workspace)
    sh("dvc", "remote", "modify", "store", "endpointurl", endpoint, cwd=workspace)
    sh("dvc", "push", cwd=workspace)
    commit(workspace)
    for name, command in (("pulled", ("dvc", "pull")), ("fetched by the run", ("mlspec", "run"))):
        clone = workspace.with_name(name)
        sh("git", "clone", "-q", str(workspace), str(clone), cwd=workspace.parent)
        done = sh(*command, cwd=clone)
        assert " ran " not in done.stderr
        assert "nothing to do: all 7 steps" in sh("mlspec", "run", cwd=clone).stdout
        assert locks(clone) == locks(workspace)
        assert sh("git", "status", "--porcelain", cwd=clone).stdout == ""
        shutil.rmtree(clone)


def shared(workspace: Path, *pushed: str) -> Path:
    """Push what a run made, or some of its stages, to a folder; return a clone without data and cache."""
    with Repo(str(workspace)) as repo:
        with repo.config.edit() as config:
            config["remote"] = {"store": {"url": str(workspace.with_name("store"))}}
            config["core"]["remote"] = "store"
        repo.push(targets=[str(workspace / target) for target in pushed] or None)
    clone = workspace.with_name("clone")
    local = shutil.ignore_patterns("artifacts", "data", ".mlspec", "cache", "tmp")
    shutil.copytree(workspace, clone, ignore=local)
    return clone


def test_with_a_remote_a_changed_step_works_and_is_not_taken_from_the_lock(workspace, steps):
    run(workspace)
    shared(workspace)
    steps.take()
    for rate in ("0.003", "0.005"):
        report = run(workspace, f"training.optimizer.lr={rate}")
        assert [outcome.done for outcome in report.outcomes[3:6]] == ["ran"] * 3
        assert f'"lr": {rate}' in (workspace / "artifacts/small/train/model.json").read_text()
        assert steps.take() == ALL[3:6]


def test_without_the_raw_data_a_clone_takes_everything_from_the_remote(workspace, steps):
    run(workspace)
    clone, wanted = shared(workspace), tree(workspace / "artifacts")
    steps.take()
    report = run(clone, locked=True)
    assert steps.take() == []
    assert [outcome.done for outcome in report.outcomes] == ["restored"] * 7
    assert locks(clone) == locks(workspace)
    assert tree(clone / "artifacts") == wanted
    assert not run(clone, locked=True).worked
    assert judged(clone) == dict.fromkeys(ALL, "reuse")


def test_without_the_raw_data_a_clone_trains_on_what_was_prepared(workspace, steps):
    run(workspace)
    clone = shared(workspace)
    run(clone)
    steps.take()
    run(clone, "training.optimizer.lr=0.5")
    assert steps.take() == ALL[3:6]
    # What the remote gave is in the run cache now.
    run(clone)
    assert steps.take() == []


@pytest.mark.parametrize("kept", [None, "data/rows.csv.dvc", "data.dvc"])
def test_what_needs_the_raw_data_is_named_before_any_work(workspace, steps, kept):
    run(workspace)
    clone = shared(workspace)
    if kept is not None:
        (clone / kept).parent.mkdir(exist_ok=True)
        (clone / kept).write_text("outs: []\n")
    steps.take()
    with pytest.raises(MissingError) as refused:
        run(clone, "seed=9")
    assert steps.take() == []
    told = refused.value
    assert told.exit_code == 3 and told.where == "prepare"
    assert "'prepare' must run (seed: 0 -> 9)" in told.what and "'data/rows.csv'" in told.what
    assert told.fix == (f"`dvc pull {kept}` brings it" if kept else "put 'data/rows.csv' there")
    found = planned(clone / "spec.yaml", ["seed=9"])
    (prepare,) = (one for one in status(found.plan, clone) if one.step.name == "prepare")
    assert prepare.reasons[-1] == "and cannot: there is no file 'data/rows.csv'"


def test_data_steps_that_nobody_pushed_are_not_made_where_nothing_needs_them(workspace, steps):
    run(workspace)
    clone = shared(workspace, "pipelines/small/dvc.yaml")
    steps.take()
    report = run(clone)
    assert steps.take() == []
    assert [outcome.done for outcome in report.outcomes] == ["reused"] * 3 + ["restored"] * 4
    assert "not here, and not made again" in report.outcomes[2].reasons[0]
    assert locks(clone) == locks(workspace)
    with pytest.raises(MissingError, match=r"'train' must run .* reads what 'prepare' made.*remote 'store'"):
        run(clone, "training.optimizer.lr=0.5")
    assert steps.take() == []


def test_a_model_that_nobody_pushed_is_named(workspace, steps):
    run(workspace)
    clone = shared(workspace, "pipelines/small/dvc.yaml:gate")
    steps.take()
    with pytest.raises(MissingError, match="'train' must run"):
        run(clone)
    assert steps.take() == []


def test_a_glob_whose_files_are_away_is_not_looked_at(workspace, steps):
    spec = workspace / "spec.yaml"
    spec.write_text(spec.read_text().replace("data/rows.csv", "data/*.csv"))
    run(workspace)
    clone = shared(workspace)
    steps.take()
    report = run(clone)
    assert steps.take() == []
    assert [outcome.done for outcome in report.outcomes] == ["restored"] * 7
    report = run(clone)
    assert not report.worked
    assert report.outcomes[0].reasons[0].startswith("cannot check, reused")


def test_chosen_features_hold_where_the_data_is_away(workspace, steps):
    spec = workspace / "spec.yaml"
    text = spec.read_text()
    spec.write_text(text[: text.index("  features:")] + "  features: auto\n" + text[text.index("model:") :])
    run(workspace)
    clone = shared(workspace)
    steps.take()
    assert run(clone, locked=True).worked
    assert steps.take() == []
    (clone / "pipelines/data-small/plan.yaml").unlink()
    with pytest.raises(MissingError, match="there is no file"):
        run(clone)


def test_validate_takes_the_last_run_for_data_that_is_not_here(workspace, steps, monkeypatch, capsys):
    run(workspace)
    monkeypatch.chdir(shared(workspace))
    assert main(["validate"]) == 0
    assert "the data is not here, and the last run of it stands for it" in capsys.readouterr().out
    assert main(["validate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data_checked"] is False
    assert main(["validate", "data.source.path=data/other.csv"]) == 2
    assert "there is no file 'data/other.csv'" in capsys.readouterr().err


def test_names_are_held_against_the_columns_that_the_data_had(workspace, steps):
    run(workspace)
    clone = shared(workspace)
    manifest = {"columns": {"a": "number", "b": "number", "y": "string"}}
    run(clone)
    (clone / "artifacts/data-small/ingest/manifest.json").unlink()
    (clone / "artifacts/data-small/ingest/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SpecError) as wrong:
        planned(clone / "spec.yaml", ["evaluation.slices=[towm]"])
    assert "the data has no column 'towm'" in wrong.value.what
    with pytest.raises(SpecError) as wrong:
        planned(clone / "spec.yaml", ["data.source.path=data/other.csv"])
    assert "there is no file 'data/other.csv'" in wrong.value.what


def test_a_remote_that_does_not_answer_is_told_of_once(workspace, steps):
    run(workspace)
    clone = shared(workspace)
    config = clone / ".dvc/config"
    config.write_text(config.read_text().replace(str(workspace.with_name("store")), "ssh://127.0.0.1/bucket"))
    (clone / "data").mkdir()
    shutil.copy(workspace / "data/rows.csv", clone / "data")
    steps.take()

    class Heard(Watch):
        lines: list[str] = []  # noqa: RUF012

        def said(self, line: str) -> None:
            self.lines.append(line)

    run(clone, watch=Heard())
    assert steps.take() == ALL
    told = [line for line in Heard.lines if "the remote 'store' cannot be asked" in line]
    assert len(told) == 1 and "requires 'dvc-ssh' to be installed" in told[0]


@pytest.mark.slow
def test_the_page_about_sharing_can_be_followed(workspace, commands, monkeypatch):
    page = (Path(__file__).parents[2] / "docs/share.md").read_text()
    blocks = [part.splitlines() for part in re.findall(r"(?:^    .*\n)+", page, re.MULTILINE)]
    once, second, ci = blocks[:3]
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "somebody")
    (workspace / ".gitignore").write_text("/data/\n")
    place = {"/mnt/team/models": str(workspace.with_name("store")), second[0].split()[2]: str(workspace)}

    def follow(lines: list[str], folder: Path) -> list[str]:
        told = []
        for line in lines:
            words = [place.get(word, word) for word in shlex.split(line, comments=True)]
            if words[0] == "cd":
                folder = folder / words[1]
            else:
                told.append(sh(*words, cwd=folder).stdout)
        return told

    follow(once, workspace)
    follow(second, workspace.parent)
    clone = workspace.parent / "models"
    assert "nothing to do" in follow(ci, clone)[-1]
    assert sh("git", "status", "--porcelain", cwd=clone).stdout == ""
    assert locks(clone) == locks(workspace)
