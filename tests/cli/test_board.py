"""`mlspec board` starts TensorBoard for this machine alone, and says what is missing."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mlspec.cli.main import main

SPEC = """\
apiVersion: mlspec/v1
name: small
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {a: number}
model: {kind: linear}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_missing_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["board"]) == 3
    assert "no training has written events" in capsys.readouterr().err
    assert main(["board", "gone.yaml"]) == 3
    assert main(["board", "--port", "0"]) == 2
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    capsys.readouterr()
    assert main(["board"]) == 3
    assert "pip install 'mlspec[board]'" in capsys.readouterr().err


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_the_runs_of_a_spec_on_loopback_until_it_is_stopped(
    here: Path, stop: signal.Signals, status: int
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(here / "artifacts/small/logs/train")) as writer:
        writer.add_scalar("train/loss", 0.5, 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlspec", "board", "spec.yaml", "--port", str(port)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert b"train" in _answer(f"http://127.0.0.1:{port}/data/runs")
    finally:
        # A terminal tells all of its processes; what ends a process by its number tells that one only.
        os.killpg(process.pid, stop) if stop == signal.SIGINT else process.send_signal(stop)
        process.communicate(timeout=20)
    assert process.returncode == status
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def _answer(url: str) -> bytes:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: bytes = answer.read()
            if b"train" in found:
                return found
        except OSError:
            pass
        assert time.monotonic() < until, "nothing answers"
        time.sleep(0.2)
