"""A full disk, a folder that may not be written, a lost input, a signal: what is said, and it goes on."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlspec.cli.main import main
from tests.run.conftest import run, sh
from tests.run.stumble import Stumble, refuse
from tests.run.test_killed import content, leftovers

KEPT = "then run again: what is done is kept"


def told(workspace: Path, at: int, number: int) -> tuple[int, str]:
    """Run the command in a child that the system refuses every change from one on; return code and stderr."""
    file = workspace.with_name("stderr")
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            os.chdir(workspace)
            with open(file, "w") as sys.stderr:
                Stumble(workspace, at, refuse(number), on=True).install()
                code = main(["run"])
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), file.read_text()


FULL = (errno.ENOSPC, "there is no room left on the disk of")
READ_ONLY = (errno.EROFS, "the disk is read-only")
SOON = ((22, READ_ONLY), (66, FULL), (230, FULL))


@pytest.mark.parametrize(
    ("at", "answer"),
    [*SOON]
    + [
        pytest.param(at, answer, marks=pytest.mark.slow)
        for at in (1, 8, 22, 66, 101, 230, 440)
        for answer in (FULL, READ_ONLY)
        if (at, answer) not in SOON
    ],
)
def test_what_the_system_refuses_is_named_and_the_next_run_goes_on(workspace, steps, at, answer):
    number, words = answer
    fresh = workspace.with_name("fresh")
    shutil.copytree(workspace, fresh)
    code, text = told(workspace, at, number)
    assert code == 3, text
    assert words in text and str(workspace) in text and KEPT in text
    assert "Traceback" not in text and "stumbled" not in text
    run(workspace)
    run(fresh)
    assert content(workspace) == content(fresh)
    assert leftovers(workspace) == []


def test_a_disk_that_is_really_full(workspace, commands, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], check=False)
    if mounted.returncode:
        pytest.xfail("nobody may mount a small disk here; the refusals above stand for it")
    try:
        small = place / "work"
        shutil.copytree(workspace, small)
        filler = place / "filler"
        with pytest.raises(OSError, match="No space left"), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        os.truncate(filler, filler.stat().st_size - 100 * 1024)
        done = sh("mlspec", "run", cwd=small, code=3)
        assert "there is no room left on the disk of" in done.stderr and KEPT in done.stderr
        filler.unlink()
        sh("mlspec", "run", cwd=small)
        assert leftovers(small) == []
        assert "nothing to do" in sh("mlspec", "run", cwd=small).stdout
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    "folder",
    [
        ".",
        pytest.param("artifacts/small", marks=pytest.mark.slow),
        pytest.param("pipelines/small", marks=pytest.mark.slow),
    ],
)
def test_a_folder_that_may_not_be_written(workspace, commands, folder):
    if folder != ".":
        sh("mlspec", "run", cwd=workspace)
        spec = workspace / "spec.yaml"
        spec.write_text(spec.read_text().replace("lr: 0.001", "lr: 0.003"))
    place = workspace / folder
    # Root may write everywhere, until that capability is taken away.
    plain = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
    place.chmod(0o555)
    try:
        done = sh(*plain, "mlspec", "run", cwd=workspace, code=3)
    finally:
        place.chmod(0o755)
    assert f"this user may not write (or not read) '{place}" in done.stderr and KEPT in done.stderr
    sh("mlspec", "run", cwd=workspace)
    assert leftovers(workspace) == []
    assert "nothing to do" in sh("mlspec", "run", cwd=workspace).stdout


def test_an_input_that_is_gone_is_named_and_brought_back(workspace, commands):
    source = workspace / "data/rows.csv"
    rows = source.read_bytes()
    source.unlink()
    done = sh("mlspec", "run", cwd=workspace, code=None)
    assert done.returncode in (2, 3) and "data/rows.csv" in done.stderr
    source.write_bytes(rows)
    sh("mlspec", "run", cwd=workspace)


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_a_run_cleanly_and_says_how_to_go_on(
    workspace, commands, monkeypatch, number, code, word
):
    monkeypatch.setenv("FAKE_STEP_SECONDS", "0.5")
    child = subprocess.Popen(
        ["mlspec", "run"], cwd=workspace, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        # While the second step works.
        while not list((workspace / ".mlspec/tmp").glob("validate-*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(number)
        _, text = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == code
    assert word in text and "stopped: `mlspec run` goes on from here" in text and "Traceback" not in text
    assert leftovers(workspace)[1:] == []  # the step's scratch folder stays: a checkpoint may lie there
    monkeypatch.setenv("FAKE_STEP_SECONDS", "0")
    done = sh("mlspec", "run", cwd=workspace)
    assert "1 reused" in done.stdout
    assert leftovers(workspace) == []
