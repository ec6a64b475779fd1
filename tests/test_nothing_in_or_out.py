"""No verb opens a connection, only `serve` listens, and none reads a pickle: heard by Python itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.test_serve import predict, serving

ROOT = Path(__file__).resolve().parents[1]
LISTENER = """\
import json, os, sys, traceback

def _heard(event, arguments):
    if event == "pickle.find_class":
        what = f"{arguments[0]}.{arguments[1]}"
    elif event in ("socket.connect", "socket.bind", "socket.sendto"):
        # A family's own sockets between parts of one machine have a path, or nothing, for an address.
        if not isinstance(arguments[1], tuple):
            return
        what = repr(arguments[1])
    elif event == "socket.getaddrinfo":
        what = repr(arguments[:2])
    else:
        return
    frames = [f"{os.path.basename(os.path.dirname(f.filename))}/{os.path.basename(f.filename)}"
              for f in traceback.extract_stack()]
    with open(os.environ["HEARD"], "a") as file:
        file.write(json.dumps([event, what, frames]) + "\\n")

sys.addaudithook(_heard)
"""
SPEC = """\
apiVersion: mlspec/v1
name: quiet
data:
  source: {kind: csv, path: rows.csv}
  key: [id]
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number, town: category}
model: MODEL
evaluation: {gates: [{metric: accuracy, at_least: 0.1}]}
deployments:
  online: {kind: rest, port: 0}
monitoring: {monitors: {live: {kind: whylogs, of: online}}}
sweep:
  trials: 2
  metric: accuracy
  parameters: {training.class_weights: {choices: [balanced, {"yes": 2.0}]}}
"""
WORDS = (
    "init empty.yaml", "init --from rows.csv other.yaml", "validate", "plan", "run", "plan --check", "run",
    "show --resolved --comments", "show last", "show runs", "report", "why model", "why MS0201", "accept",
    "diff spec.yaml seed=3", "migrate", "schema", "plugins", "plugins model linear", "doctor", "trust",
    "score rows.csv -o scores.parquet", "show artifacts/quiet/export-main/model.onnx", "verify",
    "sweep", "completion bash", "serve --help", "clean --yes",
)  # fmt: skip


def heard(folder: Path, lines: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """Return what was heard while some verbs ran in a child, its own children included."""
    code = (
        "import shlex, sys\n"
        "from mlspec.cli.main import main\n"
        "for line in sys.argv[1:]:\n"
        "    try:\n        status = main(shlex.split(line))\n"
        "    except SystemExit as stop:\n        status = stop.code\n"
        "    print('STATUS', status or 0, line, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *lines], cwd=folder, env=environment(folder), capture_output=True,
        text=True, timeout=300,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if line.startswith("STATUS")]
    bad = [line for line in told if line.split()[1] not in ("0", "10")]
    assert len(told) == len(lines) and not bad, done.stderr[-4000:]
    return noted(folder)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which every Python listens to itself, and writes into the folder."""
    (folder / "listener").mkdir(exist_ok=True)
    (folder / "listener" / "sitecustomize.py").write_text(LISTENER)
    path = f"{folder / 'listener'}:{ROOT}"
    return {**os.environ, "HEARD": str(folder / "heard"), "MLSPEC_TRUST": "0", "PYTHONPATH": path}


def noted(folder: Path) -> list[tuple[str, str, list[str]]]:
    """Return all that was written down so far, but for urllib3's one look."""
    file = folder / "heard"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [(event, what, frames) for event, what, frames in lines if not probe(what, frames)]


def write_workspace(folder: Path, model: str) -> None:
    rows = [
        f"r{i},{i % 17}.5,{'Bern' if i % 3 else 'Genf'},{'yes' if i % 17 > 8 else 'no'}" for i in range(400)
    ]
    (folder / "rows.csv").write_text("\n".join(["id,size,town,y", *rows]) + "\n")
    (folder / "spec.yaml").write_text(SPEC.replace("MODEL", model))
    # Something to trust.
    (folder / "plugins" / "rule").mkdir(parents=True)
    (folder / "plugins" / "rule" / "_words.py").write_text('"""Nothing yet."""\n')


def test_the_listener_hears(tmp_path: Path) -> None:
    code = (
        "import pickle, socket, collections\n"
        "pickle.loads(pickle.dumps(collections.OrderedDict()))\n"
        "socket.socket().connect_ex(('127.0.0.1', 9))\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(tmp_path), check=True, timeout=60)
    assert [event for event, _, _ in noted(tmp_path)] == ["pickle.find_class", "socket.connect"]


@pytest.mark.parametrize(
    "model",
    ["{kind: mlp, hidden: [4]}", pytest.param("{kind: gradient_boosting, trees: 5}", marks=pytest.mark.slow)],
)
def test_no_verb_opens_a_connection_or_reads_a_pickle(tmp_path: Path, model: str) -> None:
    write_workspace(tmp_path, model)
    assert heard(tmp_path, WORDS) == []
    if "mlp" in model:
        many = "hardware.launcher=torchrun hardware.nodes=2 hardware.strategy=ddp"
        assert heard(tmp_path, [f"compile --target torchrun {many}"]) == []


@pytest.mark.slow
def test_serve_listens_where_it_was_told_and_neither_it_nor_monitor_connects(tmp_path: Path) -> None:
    write_workspace(tmp_path, "{kind: linear}")
    assert heard(tmp_path, ["run"]) == []
    with serving(tmp_path, environment=environment(tmp_path)) as told:
        assert predict(told["url"], {"size": 3.5, "town": "Bern"})[0] == 200
    assert {(event, what.split(",")[0]) for event, what, _ in noted(tmp_path)} == {
        ("socket.bind", "('127.0.0.1'")
    }
    (tmp_path / "heard").unlink()
    assert heard(tmp_path, ["monitor", "report"]) == []


def probe(what: str, frames: list[str]) -> bool:
    """Return whether urllib3, which BentoML and DVC import, looked once whether the machine knows IPv6."""
    return what == "('::1', 0)" and "util/connection.py" in frames
