"""A workspace with tiny steps in the place of the real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlspec.run.planned import planned
from mlspec.run.report import Report
from mlspec.run.walk import run_plan
from tests.run.fake_steps import SPEC, FakeSteps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> FakeSteps:
    fake = FakeSteps()
    fake.install(lambda name, module: monkeypatch.setitem(sys.modules, name, module))
    return fake


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep DVC's state out of the user's folders, and apart from other tests'."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, site: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "rows.csv").write_text("a,b,y\n1,2,yes\n3,4,no\n")
    (folder / "spec.yaml").write_text(SPEC)
    return folder


@pytest.fixture
def commands(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on PATH with an `mlspec` whose steps are tiny, and with this environment's `dvc`."""
    folder = site / "bin"
    folder.mkdir()
    script = folder / "mlspec"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.run.fake_steps import FakeSteps\nFakeSteps().install()\n"
        "from mlspec.cli.main import entry\nentry()\n"
    )
    script.chmod(0o755)
    here = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}:{here}:{os.environ['PATH']}")
    return folder


def run(
    workspace: Path, *overrides: str, spec: str = "spec.yaml", sample: int | None = None, **options: Any
) -> Report:
    """Plan and run a spec of a workspace, in this process."""
    found = planned(workspace / spec, overrides, sample=sample)
    return run_plan(found.plan, found.workspace, **options)


def sh(*words: str, cwd: Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run a command, and hold its exit code."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert code is None or done.returncode == code, (
        f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done
