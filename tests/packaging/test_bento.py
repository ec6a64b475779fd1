"""The built Bento works in an empty environment: no checkout, no training libraries."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.serving.bento import bento
from mlspec.engine.serving.rows import to_batch
from tests.tiny_package import ROW, rows, write_package

ROOT = Path(__file__).resolve().parents[2]


def ask(port: int, method: str, path: str, value: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, None if value is None else json.dumps(value))
    response = connection.getresponse()
    status, body = response.status, response.read()
    connection.close()
    return status, json.loads(body) if body.strip() else None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "MLSPEC_", "BENTOML_"))
    }
    return {**kept, "BENTOML_DO_NOT_TRACK": "True", "PYTHONDONTWRITEBYTECODE": "1", **more}


@pytest.mark.slow
def test_a_bento_is_built_once_and_only_beside_the_package(tmp_path: Path) -> None:
    package = write_package(tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in package.iterdir()}
    built = bento(package, tmp_path / "build")
    made = (built.folder / "bento.yaml").stat().st_mtime_ns
    assert bento(package, tmp_path / "build") == built
    assert (built.folder / "bento.yaml").stat().st_mtime_ns == made
    assert {file.name: file.stat().st_mtime_ns for file in package.iterdir()} == before
    assert built.tag.startswith("tiny_online:")
    assert (built.folder / "src" / "model.onnx").read_bytes() == (package / "model.onnx").read_bytes()
    assert (built.folder / "env" / "docker" / "Dockerfile").is_file()
    assert "torch" not in (built.folder / "env" / "python" / "requirements.txt").read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_bento_serves_in_an_empty_environment_without_torch(tmp_path: Path) -> None:
    package = write_package(tmp_path)
    built = bento(package, tmp_path / "build")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=300)
    python = tmp_path / "venv" / "bin" / "python"
    needs = built.folder / "env" / "python"
    constraints = ["-c", str(ROOT / "constraints.txt")] if (ROOT / "constraints.txt").is_file() else []
    wheels = [str(wheel) for wheel in (needs / "wheels").glob("*.whl")]
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", *constraints, "-r", needs / "requirements.txt", *wheels],
        capture_output=True, text=True, timeout=1500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    heavy = ["torch", "dvc", "ibis", "sklearn"]
    lacking = f"import importlib.util as u; print([name for name in {heavy} if u.find_spec(name)])"
    found = subprocess.run(
        [str(python), "-c", lacking], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert found.stdout.strip() == "[]"

    port, profiles = free_port(), tmp_path / "profiles"
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(
            [python.with_name("bentoml"), "serve", built.folder, "--port", str(port), "--host", "127.0.0.1"],
            cwd=tmp_path, env=environment(MLSPEC_MONITOR=str(profiles)), stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while True:
            try:
                assert ask(port, "GET", "/readyz")[0] == 200  # BentoML's own: it says no more
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.2)
        scorer, asked = Scorer(package / "model.onnx"), rows(200, seed=9)
        answers = scorer.score(to_batch(asked, scorer.contract))
        status, told = ask(port, "POST", "/predict", asked)
        assert status == 200
        assert [one["label"] for one in told["predictions"]] == answers.column("label").to_pylist()
        shares = [one["probabilities"][">yes"] for one in told["predictions"]]
        assert shares == pytest.approx(answers.column("probability_>yes").to_pylist(), abs=1e-6)
        assert ask(port, "POST", "/predict", {**ROW, "age": "39"})[0] == 422
        assert ask(port, "GET", "/")[0] == 404
        assert "Row" in ask(port, "GET", "/openapi.json")[1]["components"]["schemas"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    assert list((profiles / "v1").glob("*.bin")), (tmp_path / "log").read_text()
