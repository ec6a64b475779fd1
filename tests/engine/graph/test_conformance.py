"""The conformance set: what Python wrote comes back through JSON, and a client in JavaScript passes it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mlspec.engine.files import write_bytes, write_json
from mlspec.engine.graph.conformance import conformance
from mlspec.engine.graph.hostile import hostile_rows
from mlspec.engine.graph.session import Session
from mlspec.engine.serving.rows import to_batch
from mlspec.sdk.contract import FittedTarget
from tests.hostile import INPUTS, fitted, legal
from tests.joined import TARGETS, joined

CLIENT = Path(__file__).resolve().parents[3] / "clients" / "node"


def rows() -> pa.RecordBatch:
    """Return held-out rows as `rows/parity.parquet` keeps them, then hostile ones."""
    hostile = hostile_rows(INPUTS, {"text": ["caf\u00e9", "a"], "word": ["yes"], "code": ["5"]})
    batch = legal(seed=4, rows=300)
    texts = [None if value is None else str(value).lower() for value in batch.column("flag").to_pylist()]
    columns = {
        "number": batch.column("number"),
        "whole": batch.column("whole").cast(pa.float64()),
        "text": batch.column("text"),
        "code": batch.column("code").cast(pa.string()),
        "flag": pa.array(texts, pa.string()),
        "word": batch.column("word"),
        "moment": batch.column("moment").cast(pa.timestamp("ms", "UTC"), safe=False),
        "local": batch.column("local").cast(pa.timestamp("ms", "UTC")),
        "day": batch.column("day").cast(pa.timestamp("ms")).cast(pa.timestamp("ms", "UTC")),
    }
    return pa.concat_batches([pa.RecordBatch.from_pydict(columns), hostile])


def written(folder: Path, target: FittedTarget) -> Path:
    made = joined(fitted(), target)
    content = made.model.SerializeToString(deterministic=True)
    write_bytes(folder / "model.onnx", content)
    write_json(folder / "contract.json", made.contract.model_dump(mode="json"))
    write_json(
        folder / "conformance.json",
        conformance(made.contract, Session(content, made.contract.inputs), rows()),
    )
    return folder


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_its_rows_come_back_through_json_with_the_same_answers(target: FittedTarget, tmp_path: Path) -> None:
    made = joined(fitted(), target)
    session = Session(made.model.SerializeToString(), made.contract.inputs)
    known = json.loads(json.dumps(conformance(made.contract, session, rows()), allow_nan=False))
    assert len(known["rows"]) >= 90
    answers = session.run(to_batch(known["rows"], made.contract))
    for name, expected in known["answers"].items():
        assert np.asarray(expected, answers[name].dtype).tolist() == answers[name].tolist()


def test_it_shows_each_column_null_and_not_and_naive_times() -> None:
    made = joined(fitted(), TARGETS[0])
    known = conformance(made.contract, Session(made.model.SerializeToString(), made.contract.inputs), rows())
    for item in INPUTS:
        values = [row[item.name] for row in known["rows"]]
        assert None in values
        assert any(value is not None for value in values)
        assert item.name in {bad["column"] for bad in known["refused"]}
    times = [row["moment"] for row in known["rows"] if row["moment"]]
    assert any(time.endswith("Z") for time in times) and any(not time.endswith("Z") for time in times)


def test_no_rows_give_an_empty_set() -> None:
    made = joined(fitted(), TARGETS[0])
    session = Session(made.model.SerializeToString(), made.contract.inputs)
    known = conformance(made.contract, session, rows().slice(0, 0))
    assert (known["rows"], known["answers"], known["refused"]) == ([], {"label": [], "probabilities": []}, [])


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command of the client, installed once into a folder outside of the checkout."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is missing: apt-get install nodejs npm")
    package = (CLIENT / "package.json").read_bytes()
    home = Path(os.environ.get("MLSPEC_NODE_CACHE", Path.home() / ".cache" / "mlspec-node-client"))
    cache = home / hashlib.sha256(package).hexdigest()[:12]
    if not cache.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=home))
        shutil.copy2(CLIENT / "package.json", scratch)
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=scratch, check=True, timeout=500, capture_output=True)
        try:
            scratch.rename(cache)
        except OSError:  # another process was faster
            shutil.rmtree(scratch)
    # the client lies beside its node_modules, where Node looks for them
    client = tmp_path_factory.mktemp("client")
    (client / "node_modules").symlink_to(cache / "node_modules")
    for file in CLIENT.glob("*.mjs"):
        shutil.copy2(file, client)
    shutil.copy2(CLIENT / "package.json", client)
    return ["node", str(client / "conformance.mjs")]


def asked(node: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*node, str(folder)], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind)
def test_a_client_in_javascript_passes_it(target: FittedTarget, node: list[str], tmp_path: Path) -> None:
    done = asked(node, written(tmp_path, target))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["rows"] >= 90 and report["refused"] >= 20
    assert report["faults"] == []


@pytest.mark.slow
def test_a_client_whose_answers_differ_does_not_pass(node: list[str], tmp_path: Path) -> None:
    folder = written(tmp_path, TARGETS[0])
    known = json.loads((folder / "conformance.json").read_text())
    known["answers"]["probabilities"][7][0] += 1e-3
    known["answers"]["label"][9] = "other"
    known["refused"].append({"column": "text", "row": known["rows"][0]})
    write_json(folder / "conformance.json", known)
    done = asked(node, folder)
    faults = " ".join(json.loads(done.stdout)["faults"])
    assert done.returncode == 1
    assert (
        "row 7: probabilities" in faults
        and "row 9: label" in faults
        and "passes and must not: text" in faults
    )
