"""Who works in a workspace is told at once, or waited for, by every verb that needs it for itself."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.errors import MissingError
from mlspec.run.lock import lock
from mlspec.run.verify import verify
from tests.run.conftest import run

VERBS = ("run", "verify", "clean --yes", "accept", "plan --write")
HOLDER = """\
import sys, time
from pathlib import Path
from mlspec.run.lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(workspace: Path, seconds: float) -> subprocess.Popen[str]:
    """Return a process that holds a workspace for some time, once it does."""
    words = [sys.executable, "-c", HOLDER, str(workspace), str(seconds)]
    found = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert found.stdout is not None and found.stdout.readline() == "held\n"
    return found


def test_the_holder_is_told_at_once_and_waited_for_where_asked(workspace, steps, monkeypatch, capsys):
    run(workspace)
    monkeypatch.chdir(workspace)
    capsys.readouterr()
    held = holder(workspace, 60)
    try:
        for words in VERBS:
            assert main(words.split()) == 3, words
            told = capsys.readouterr().err
            assert f"another run works in this workspace: pid {held.pid} on " in told, words
            assert "since 2" in told and "--wait" in told, words
    finally:
        held.kill()
        held.communicate()
    for words in VERBS:
        held = holder(workspace, 0.4)
        assert main([*words.split(), "--wait"]) == 0, words
        assert f"waiting for pid {held.pid}" in "".join(capsys.readouterr()).replace("\n", " "), words
        held.communicate()


def test_a_commit_is_verified_while_a_run_works(workspace, steps):
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "init", "-q"], cwd=workspace, check=True)
    run(workspace)
    subprocess.run(["git", "add", "."], cwd=workspace, check=True)
    subprocess.run(["git", *author, "commit", "-qm", "a"], cwd=workspace, check=True)
    with lock(workspace):
        assert verify(workspace / "spec.yaml", "HEAD").first is None


def test_a_holder_on_another_machine_is_told_as_such(workspace, monkeypatch):
    with lock(workspace):
        file = workspace / ".mlspec/run.lock"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"host": "node17", "pid": 1}))
        with pytest.raises(MissingError) as busy, lock(workspace):
            pass
    assert "pid 1 on node17, which is another machine, since" in busy.value.what
    assert busy.value.fix.endswith("or stop it there")


@pytest.mark.parametrize("text", ["", "[]", '{"pid": 1}', "\0"])
def test_a_holder_that_has_not_said_its_name_is_no_traceback(workspace, text):
    with lock(workspace):
        (workspace / ".mlspec/run.lock").write_text(text)
        with pytest.raises(MissingError, match="has not said its name"), lock(workspace):
            pass


def test_a_dead_holder_holds_nothing(workspace):
    held = holder(workspace, 60)
    held.kill()
    held.communicate()
    with lock(workspace):
        assert json.loads((workspace / ".mlspec/run.lock").read_text())["pid"] == os.getpid()


def test_a_disk_without_locks_is_named(workspace, monkeypatch):
    def refuse(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(MissingError, match="nothing can be locked on the disk of"), lock(workspace):
        pass


def test_clean_leaves_what_a_verification_is_at(workspace, steps, monkeypatch, capsys):
    run(workspace)
    living = subprocess.Popen(["sleep", "60"])
    try:
        for name in (f"verify-{living.pid}", "verify-999999999"):
            (workspace / ".mlspec/tmp" / name).mkdir()
            (workspace / ".mlspec/tmp" / name / "file").write_text("")
        monkeypatch.chdir(workspace)
        assert main(["clean", "--yes"]) == 0
        assert [path.name for path in (workspace / ".mlspec/tmp").iterdir()] == [f"verify-{living.pid}"]
    finally:
        living.kill()
        living.wait()
    assert main(["clean", "--yes"]) == 0
    assert not (workspace / ".mlspec/tmp").exists()
