"""Ctrl-C and SIGTERM in the middle of long queries: the run ends at once, says so, and goes on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.errors import Terminated
from mlspec.sdk.heeded import heeded
from tests.bad_files import good_csv
from tests.run.conftest import ROOT

SPEC = """\
apiVersion: mlspec/v1
name: long
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {n: number, word: category}
model: {kind: linear}
"""
# What a step asks of its own database, where the rows are so many that it takes minutes.
CHILD = """
import signal, sys
from mlspec.cli.main import entry
from mlspec.engine.reading import by_file
from mlspec.engine.reading.reading import Reading

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background deafens its children
step, reading = sys.argv[1], Reading.of.__func__

def slow(cls, data, context):
    found = reading(cls, data, context)
    if context.step == step:
        print("busy", flush=True)
        found.table.get_backend().con.execute("SELECT sum(hash(i)) FROM range(1000000000000) t(i)").fetchall()
    return found

write = by_file.write_typed

def endless(connection, rows, casts, file):
    print("busy", file=sys.stderr, flush=True)
    many = ", ".join(f"range(1000) AS t{at}(i{at})" for at in range(4))
    write(connection, f"(SELECT mlspec_own.* FROM {rows} AS mlspec_own, {many})", casts, file)

if step == "bringing":
    step, by_file.write_typed = "ingest", endless
else:
    Reading.of = classmethod(slow)
sys.argv = ["mlspec", "run", "--until", step]
entry()
"""


@pytest.mark.parametrize(
    ("step", "number", "code"),
    [
        ("bringing", signal.SIGINT, 130),
        ("bringing", signal.SIGTERM, 143),
        ("ingest", signal.SIGINT, 130),
        ("validate", signal.SIGINT, 130),
        ("prepare", signal.SIGINT, 130),
        ("prepare", signal.SIGTERM, 143),
    ],
)
def test_a_signal_ends_a_long_query_at_once_and_the_next_run_goes_on(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, code: int
) -> None:
    (tmp_path / "rows.csv").write_bytes(good_csv(rows=400))
    (tmp_path / "spec.yaml").write_text(SPEC)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, step], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        try:
            assert child.stderr is not None
            # A step's own words go to stderr, as those of its libraries.
            while (line := child.stderr.readline()) and "busy" not in line:
                pass
            time.sleep(0.3)  # the query has begun by then, or begins with the signal waiting
            began = time.monotonic()
            child.send_signal(number)
            _, said = child.communicate(timeout=20)
        finally:
            child.kill()
    assert time.monotonic() - began < 5
    assert child.returncode == code, said
    assert "goes on from here" in said and "Traceback" not in said
    step = "ingest" if step == "bringing" else step
    record = json.loads((tmp_path / "pipelines/long/run.json").read_text())
    assert (record["ended"], record["steps"][-1]["step"], record["steps"][-1]["done"]) == (
        "interrupted", step, "interrupted",
    )  # fmt: skip
    own = tmp_path / ".mlspec"
    assert not [*own.glob("tmp/*"), *own.glob("scratch/*/*"), *own.glob("parts/.*")]
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--until", step]) == 0


def test_only_a_signal_is_taken_for_one() -> None:
    with pytest.raises(KeyboardInterrupt), heeded():
        try:
            raise RuntimeError("Query interrupted") from Terminated()
        except RuntimeError as fault:
            raise ValueError from fault
    with pytest.raises(ValueError, match="own"), heeded():
        raise ValueError("own")
