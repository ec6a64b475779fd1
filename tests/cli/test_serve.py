"""`mlspec serve` and `mlspec monitor` as a user has them: from a run to drift."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlspec.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
apiVersion: mlspec/v1
name: towns
data:
  source: {kind: csv, path: rows.csv}
  key: [id]
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number, town: category}
model: {kind: gradient_boosting}
deployments:
  online: {kind: rest, port: 0}
monitoring:
  monitors: {live: {kind: whylogs, of: online}}
"""


def table(count: int, seed: int, scale: float = 1.0) -> list[dict[str, Any]]:
    generator = np.random.default_rng(seed)
    return [
        {
            "size": round(float(generator.normal(10, 2)) * scale, 3),
            "town": str(generator.choice(["Bern", "Genf"])),
        }
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("towns")
    lines = [
        f"r{place},{row['size']},{row['town']},{'yes' if row['size'] > 10 else 'no'}"
        for place, row in enumerate(table(2000, seed=0))
    ]
    (at / "rows.csv").write_text("\n".join(["id,size,town,y", *lines]) + "\n")
    (at / "spec.yaml").write_text(SPEC)
    here = Path.cwd()
    os.chdir(at)
    try:
        assert main(["serve"]) == 3  # nothing is packed yet
        assert main(["run"]) == 0
    finally:
        os.chdir(here)
    return at


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace)
    return workspace


@contextmanager
def serving(
    folder: Path, *words: str, end: int = signal.SIGTERM, environment: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Serve in a process of its own, and end it as a user or a supervisor does."""
    command = [sys.executable, "-c", "from mlspec.cli.main import entry; entry()", "serve", "--json", *words]
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.rstrip() == "}":
            break
    else:
        raise AssertionError(process.communicate()[1])
    try:
        yield json.loads(text)
    finally:
        process.send_signal(end)
        _, error = process.communicate(timeout=60)
    assert "Traceback" not in error, error


def predict(url: str, value: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("POST", "/predict", json.dumps(value))
    response = connection.getresponse()
    status, body = response.status, response.read()
    connection.close()
    return status, json.loads(body)


def test_it_answers_and_the_curl_it_tells_works(here: Path) -> None:
    with serving(here, "--no-monitor") as told:
        assert told["url"].startswith("http://127.0.0.1:")
        status, answer = predict(told["url"], {"size": 14.0, "town": "Bern"})
        assert (status, answer["label"], answer["model_version"]) == (200, "yes", told["model_version"])
        assert predict(told["url"], {"size": "14", "town": "Bern"})[0] == 422
        done = subprocess.run(
            ["bash", "-c", f"{told['curl']} -s"], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["label"] in ("yes", "no")
    assert told["profiles"] == []


def test_what_it_saw_is_compared_with_the_training_data(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["monitor"]) == 3
    assert "nothing was observed" in capfd.readouterr().err
    with serving(here, end=signal.SIGINT) as told:
        assert predict(told["url"], table(1500, seed=2))[0] == 200
    assert main(["monitor", "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["rows"] == 1500 and not report["drift"]
    assert main(["monitor", "--json", "--since", "2h"]) == 0
    assert json.loads(capfd.readouterr().out)["rows"] == 1500
    assert main(["monitor", "--since", "2999-01-01T00:00Z"]) == 3
    assert "no rows since 2999-01-01T00:00:00Z" in capfd.readouterr().err
    for wrong, told_so in (("soon", "neither a duration nor a time"), ("2026-01-01", "has no zone")):
        assert main(["monitor", "--since", wrong]) == 2
        assert told_so in capfd.readouterr().err
    assert {column["verdict"] for column in report["columns"]} == {"stable"}
    assert {column["column"] for column in report["columns"] if column["part"] == "inputs"} == {
        "size",
        "town",
    }
    with serving(here) as told:
        assert predict(told["url"], table(1500, seed=3, scale=1.5))[0] == 200
    assert main(["monitor"]) == 1
    out = capfd.readouterr().out
    assert "drift in" in out and "size" in out
    far = "monitoring.drift.methods={size: {method: wasserstein, threshold: 1.5}, town: chi_square}"
    assert main(["monitor", "spec.yaml", far]) == 1
    assert "values, Wasserstein, told from 1.5" in capfd.readouterr().out
    assert main(["monitor", "spec.yaml", "monitoring.drift.methods={size: mann_whitney}"]) == 2
    assert "set monitoring.monitors.live.sample: 1000" in capfd.readouterr().err


def test_a_part_of_the_rows_is_watched_apart(
    here: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ["spec.yaml", "monitoring.segments=[town]"]
    assert main(["monitor", *asked]) == 3
    assert "no references of segments" in capfd.readouterr().err
    assert main(["plan", "--json", *asked]) == 0
    steps = json.loads(capfd.readouterr().out)["steps"]
    assert [step["name"] for step in steps if step["verdict"] == "run"] == ["package-online"]
    assert main(["run", *asked]) == 0
    capfd.readouterr()
    seen = ["--folder", str(tmp_path / "seen")]
    with serving(here, *asked, *seen) as told:
        rows = table(4000, seed=6)
        for row in rows:
            row["size"] = row["size"] + (1.0 if row["town"] == "Bern" else -1.0)
        assert predict(told["url"], rows)[0] == 200
    assert main(["monitor", "--json", *asked, *seen]) == 1
    report = json.loads(capfd.readouterr().out)
    assert {column["verdict"] for column in report["columns"] if column["column"] == "size"} == {"stable"}
    assert {one["segment"]: one["verdict"] for one in report["segments"]} == {
        "town = Bern": "drift",
        "town = Genf": "drift",
    }
    page = tmp_path / "seen.html"
    assert main(["monitor", *asked, *seen, "--page", str(page)]) == 1
    out = capfd.readouterr().out
    assert "drift in the segments town = " in out and "any other, any" not in out
    assert "Segments, the worst first" in page.read_text()
    package = str(here / "artifacts" / "towns" / "package-online")
    assert main(["monitor", package, *seen]) == 1  # it carries what its segments are held against
    assert main(["run"]) == 0


def test_a_package_is_served_and_watched_without_its_spec(
    here: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    package = str(here / "artifacts" / "towns" / "package-online")
    with serving(tmp_path, package, "--port", "0", "--folder", str(tmp_path / "seen")) as told:
        assert predict(told["url"], table(1000, seed=4, scale=2.0))[0] == 200
    assert main(["monitor", package]) == 2
    assert main(["monitor", package, "--folder", str(tmp_path / "seen")]) == 1
    assert "drift in" in capfd.readouterr().out


@contextmanager
def asking(url: str) -> Iterator[list[int]]:
    """Send rows over several connections until the end; yield what was answered with 200, in rows."""
    answered: list[int] = []
    over = threading.Event()

    def ask(seed: int) -> None:
        rows = table(3, seed)
        while not over.is_set():
            try:
                if predict(url, rows)[0] == 200:
                    answered.append(len(rows))
            except OSError:
                return  # the service has ended; what was not answered is not counted
            except http.client.HTTPException:
                return

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        over.set()
        for thread in threads:
            thread.join()


def asked_until_its_end(folder: Path, package: str, seen: Path, end: int) -> int:
    """Serve a package, end it while rows come in, and return how many were answered."""
    with ExitStack() as clients:
        with serving(folder, package, "--port", "0", "--folder", str(seen), end=end) as told:
            answered = clients.enter_context(asking(told["url"]))
            while sum(answered) < 120:
                time.sleep(0.01)
    return sum(answered)


IN_FLIGHT = 4 * 3
"""Rows that may have been taken, and their answers not heard any more: a request of each connection."""


def test_every_row_that_was_answered_is_watched_or_counted_however_the_service_ends(
    here: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    package, seen = str(here / "artifacts" / "towns" / "package-online"), tmp_path / "seen"
    kept = asked_until_its_end(tmp_path, package, seen, signal.SIGTERM)
    kept += asked_until_its_end(tmp_path, package, seen, signal.SIGTERM)
    lost = asked_until_its_end(tmp_path, package, seen, signal.SIGKILL)
    capfd.readouterr()
    assert main(["monitor", package, "--folder", str(seen), "--json"]) in (0, 1)
    report = json.loads(capfd.readouterr().out)
    assert report["dropped"] == 0
    assert kept <= report["rows"] <= kept + 2 * IN_FLIGHT
    assert lost <= report["lost"] <= lost + IN_FLIGHT


def test_a_taken_port_is_told_plainly(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--no-monitor", "--port", str(port)]) == 3
    error = capfd.readouterr().err
    assert f"port {port}" in error and "--port 0" in error


def test_a_package_older_than_the_plan_is_refused(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "spec.yaml", "model.max_depth=2"]) == 3
    error = capfd.readouterr().err
    assert "older than the plan" in error and "--stale" in error
    with serving(here, "spec.yaml", "model.max_depth=2", "--stale", "--no-monitor") as told:
        assert predict(told["url"], {"size": None, "town": None})[0] == 200


def test_a_stale_file_for_which_no_lock_speaks_is_tried_in_a_child(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr("mlspec.engine.graph.vet.vet", tried.append)
    (here / "asked.csv").write_text("size,town\n1.5,Bern\n")
    words = ["score", "asked.csv", "-o", "answers.csv", "spec.yaml"]
    assert main(words) == 0 and tried == []
    assert main([*words, "model.max_depth=2", "--stale"]) == 0
    assert [file.name for file in tried] == ["model.onnx"]


def test_a_changed_port_or_monitor_packs_nothing_anew(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    changed = ["deployments.online.port=4000", "monitoring.monitors.live.every=5m"]
    assert main(["plan", "--json", "spec.yaml", *changed]) == 0
    plan = json.loads(capfd.readouterr().out)
    assert {step["verdict"] for step in plan["steps"]} == {"reuse"}
    assert main(["plan", "--json", "spec.yaml", "deployments.online.max_rows=5"]) == 0
    plan = json.loads(capfd.readouterr().out)
    assert [step["name"] for step in plan["steps"] if step["verdict"] == "run"] == ["package-online"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--deployment", "batch"], 2, "no deployment called 'batch'"),
        (["nowhere.yaml"], 3, "nowhere.yaml"),
        (["artifacts"], 3, "neither a spec.yaml nor a package"),
        (["artifacts/towns/package-online", "name=other"], 2, "changes a spec"),
        (["--port", "70000", "--no-monitor"], 2, "is no port"),
        (["--host", "203.0.113.1", "--no-monitor"], 3, "cannot listen"),
    ],
)
def test_what_cannot_be_served_is_said(
    here: Path, capfd: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    assert main(["serve", *words]) == code
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--monitor", "other"], 2, "no monitor called 'other'"),
        (["spec.yaml", "~monitoring.monitors.live"], 2, "nothing watches"),
        (["--folder", "nowhere"], 3, "nothing was observed"),
    ],
)
def test_what_cannot_be_compared_is_said(
    here: Path, capfd: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    assert main(["monitor", *words]) == code
    assert told in capfd.readouterr().err


def test_a_token_is_asked_for_and_only_serving_needs_it(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked, secret = "deployments.online.token=${oc.env:TOWNS_TOKEN}", "c0ffee-c0ffee"
    monkeypatch.delenv("TOWNS_TOKEN", raising=False)
    try:
        assert main(["run", "spec.yaml", asked]) == 0
        capfd.readouterr()
        assert main(["serve", "spec.yaml", asked, "--json"]) == 3
        told = json.loads(capfd.readouterr().out)
        assert "'TOWNS_TOKEN' is not set" in told["what"] and "export TOWNS_TOKEN=" in told["fix"]
        assert told["where"]["document"] == asked and told["where"]["column"] == asked.index("=") + 2
        monkeypatch.setenv("TOWNS_TOKEN", secret)
        with serving(here, "--no-monitor", "spec.yaml", asked) as served:
            assert predict(served["url"], {"size": 14.0, "town": "Bern"})[0] == 401
            assert secret not in served["curl"]
            done = subprocess.run(
                ["bash", "-c", f"{served['curl']} -s"], capture_output=True, text=True, check=True
            )
            assert json.loads(done.stdout)["label"] in ("yes", "no")
        for file in here.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
    finally:
        assert main(["run"]) == 0  # the other tests serve the package without a token
