"""The hooks of `.pre-commit-hooks.yaml`, called by git as pre-commit would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlspec.compose.reader import read

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
apiVersion: mlspec/v1
name: wine
data:
  source: {kind: sample, name: wine}
  target: {column: target, kind: category}
  features: auto
model: {kind: gradient_boosting, trees: 3}
"""


def hooks() -> dict[str, dict[str, object]]:
    document, faults = read("hooks", "hooks:\n" + (ROOT / ".pre-commit-hooks.yaml").read_text())
    assert not faults
    return {hook["id"]: hook for hook in document.tree["hooks"]}


class Repository:
    """A git repository with one of the hooks installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bin_folder = folder.parent / "bin"
        bin_folder.mkdir()
        command = bin_folder / "mlspec"
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -c "from mlspec.cli.main import entry; entry()" "$@"\n'
        )
        command.chmod(0o755)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        self.call("git", "init", "-q")

    def install(self, hook: str) -> None:
        place = self.folder / ".git" / "hooks" / "pre-commit"
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\nexec {hooks()[hook]['entry']}\n")
        place.chmod(0o755)

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def commit(self) -> subprocess.CompletedProcess[str]:
        self.call("git", "add", "-A")
        return self.call("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "x")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "work").mkdir()
    made = Repository(tmp_path / "work")
    (made.folder / "spec.yaml").write_text(SPEC)
    return made


def test_a_hook_says_what_pre_commit_needs() -> None:
    for hook in hooks().values():
        assert {"id", "name", "entry", "language", "pass_filenames"} <= set(hook)


def test_a_wrong_spec_is_not_committed(repository: Repository) -> None:
    repository.install("mlspec-validate")
    (repository.folder / "spec.yaml").write_text(SPEC.replace("trees", "treees"))
    refused = repository.commit()
    assert refused.returncode != 0 and "did you mean 'trees'?" in refused.stderr
    (repository.folder / "spec.yaml").write_text(SPEC)
    assert repository.commit().returncode == 0


def test_work_to_do_is_not_committed(repository: Repository) -> None:
    repository.install("mlspec-plan")
    refused = repository.commit()
    assert refused.returncode != 0 and "to run" in refused.stdout + refused.stderr
    assert repository.call("git", "log").returncode != 0
    assert repository.call("mlspec", "plan", "--check").returncode == 10


@pytest.mark.slow
def test_work_that_is_done_is_committed_until_the_spec_changes(repository: Repository) -> None:
    done = repository.call("mlspec", "run")
    assert done.returncode == 0, done.stderr
    repository.install("mlspec-plan")
    assert repository.commit().returncode == 0
    (repository.folder / "spec.yaml").write_text(SPEC.replace("trees: 3", "trees: 4"))
    refused = repository.commit()
    assert refused.returncode != 0 and "model.trees: 3 -> 4" in refused.stdout + refused.stderr
