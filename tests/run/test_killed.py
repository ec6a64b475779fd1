"""A run killed at any change of the workspace's files, and run again, ends as if nothing had been."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.run.conftest import run
from tests.run.fake_steps import FakeSteps
from tests.run.stumble import Stumble, kill

PARTS = 8
"""The sweep over every change is cut into this many tests, so that they can share the cores."""
STRIDE = PARTS * (5 if os.environ.get("CI") == "true" else 1)
"""CI tries a fifth of all changes, `make test-all` every one."""
SAMPLE = 97
"""Every change of this number is tried in the tests that are not slow."""


def child(workspace: Path, at: int, **options: object) -> int:
    """Run in a forked child that is killed at a change; return the signal, or 0 where it came to its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            Stumble(workspace, at, kill).install()
            run(workspace, **options)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the run failed before it was killed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def counted(workspace: Path) -> int:
    """Return how many changes a whole run in a copy makes."""
    copy = workspace.with_name("counted")
    shutil.copytree(workspace, copy)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        stumble = Stumble(copy, 0, kill)
        stumble.install()
        run(copy)
        os.write(writing, str(stumble.count).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with open(reading) as told:
        return int(told.read())


def content(workspace: Path) -> dict[str, str]:
    """Return every file that a run leaves, by the hash of its bytes; without clocks and DVC's own cache."""
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(workspace.rglob("*"))
        if file.is_file()
        and not (name := file.relative_to(workspace).as_posix()).startswith((".dvc/tmp", ".dvc/cache"))
        and not name.startswith(".mlspec/") and "/logs/" not in name and not name.endswith("/run.json")
    }  # fmt: skip


def leftovers(workspace: Path) -> list[str]:
    """Return what a killed process left that nobody needs."""
    rwlock = workspace / ".dvc/tmp/rwlock"
    held = json.loads(rwlock.read_text()) if rwlock.exists() else {}
    found = [f"rwlock: {held}"] if any(held.values()) else []
    for folder in (".mlspec/tmp", ".mlspec/scratch"):
        found += [str(path) for path in (workspace / folder).glob("*")]
    found += [str(path) for path in workspace.rglob(".*.tmp") if ".dvc/cache" not in str(path)]
    return found


def hold(fresh: Path, wanted: dict[str, str], at: int) -> bool:
    """Kill a run of a fresh copy at a change, run again, and compare; False where it has no such change."""
    workspace = fresh.with_name("killed")
    shutil.copytree(fresh, workspace)
    try:
        if not child(workspace, at):
            return False
        run(workspace)
        assert content(workspace) == wanted, f"killed at change {at}"
        assert leftovers(workspace) == [], f"killed at change {at}"
        assert not run(workspace).worked, f"killed at change {at}"
        return True
    finally:
        shutil.rmtree(workspace)


@pytest.fixture
def wanted(workspace: Path, steps: FakeSteps) -> dict[str, str]:
    undisturbed = workspace.with_name("undisturbed")
    shutil.copytree(workspace, undisturbed)
    run(undisturbed)
    return content(undisturbed)


def test_killed_at_some_changes(workspace, wanted):
    total = counted(workspace)
    assert total > 300
    for at in range(1, total, SAMPLE):
        assert hold(workspace, wanted, at)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_change(workspace, wanted, part):
    at = part + 1
    while hold(workspace, wanted, at):
        at += STRIDE
    assert at > 300
