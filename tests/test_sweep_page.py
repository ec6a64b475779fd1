"""docs/sweep.md is followed: its spec is written, and its commands are run in their order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sweep.md"


@pytest.mark.timeout(240)
def test_the_page_is_followed(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    (spec,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (commands,) = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "spec.yaml").write_text(spec)
    names = ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR")
    env = os.environ | {name: str(tmp_path.parent / f"{tmp_path.name}-{name}") for name in names}
    told = []
    for command in commands.splitlines():
        words = shlex.split(command)
        assert words[0] == "mlspec"
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told.append((done.stdout, done.stderr))
    assert [err.count("trial ") for _, err in told[:3]] == [8, 2, 0]
    assert "nothing to do" in told[2][0]
    text = (tmp_path / "spec.yaml").read_text()
    assert text != spec
    assert re.findall("#.*", text) == re.findall("#.*", spec)
    assert "metrics of 'main' on the test split" in told[3][0]
