"""Every example runs from end to end without a network, passes its gates, and answers as its README says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "spec.yaml").is_file())


@dataclass(frozen=True)
class Ran:
    """A scratch copy of an example that has run once."""

    name: str
    folder: Path
    calls: Path
    """Every machine that the run wanted to call."""

    def mlspec(self, *words: str, status: int = 0) -> str:
        """Run one command there and return its stdout."""
        done = subprocess.run(
            [sys.executable, "-m", "mlspec", *words],
            cwd=self.folder, capture_output=True, text=True, timeout=500,
            env={**os.environ, "PYTHONPATH": str(self.calls.parent), "CALLS": str(self.calls)},
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def json(self, file: str) -> dict:
        """Return an artifact's JSON."""
        return json.loads((self.folder / "artifacts" / self.name / file).read_text())


def test_there_are_three_kinds_of_target() -> None:
    assert {"breast_cancer", "wine", "diabetes"} <= set(NAMES)


@pytest.fixture(scope="module", params=NAMES)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("example")
    (home / "site").mkdir()
    shutil.copy(Path(__file__).with_name("offline.py"), home / "site" / "sitecustomize.py")
    shutil.copytree(EXAMPLES / request.param, home / request.param)
    example = Ran(request.param, home / request.param, home / "site" / "calls")
    example.mlspec("run")
    return example


def test_nothing_was_called(ran: Ran) -> None:
    assert not ran.calls.exists() or ran.calls.read_text() == ""


def test_the_gates_could_have_said_no(ran: Ran) -> None:
    report = ran.json("gate/report.json")
    assert report["passed"]
    text = (ran.folder / "spec.yaml").read_text()
    assert "at_least" in text.split("evaluation:")[1] or "at_most" in text.split("evaluation:")[1]


def test_the_readme_tells_what_was_measured(ran: Ran) -> None:
    measured = ran.json("evaluate-main/metrics.json")
    told = dict(
        re.findall(
            r"^\s*(\w+) +(-?\d+\.\d+)\b", (EXAMPLES / ran.name / "README.md").read_text(), re.MULTILINE
        )
    )
    names = {name for name in measured if name in told}
    assert names, "the README shows no number that was measured"
    for name in names:
        assert float(told[name]) == pytest.approx(measured[name], rel=0.05, abs=0.02), name


def test_a_second_run_has_nothing_to_do(ran: Ran) -> None:
    before = {
        file: file.stat().st_mtime_ns for file in (ran.folder / "artifacts").rglob("*") if file.is_file()
    }
    ran.mlspec("plan", "--check")
    ran.mlspec("run")
    after = {file: file.stat().st_mtime_ns for file in before}
    assert after == before
