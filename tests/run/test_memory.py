"""`data.memory` holds the processes of a run, and changes nothing that it writes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlspec.sdk.fields import size

CATEGORIES, NUMBERS = 12, 4
SPEC = """\
apiVersion: mlspec/v1
name: wide
data:
  source: {{kind: parquet, path: rows.parquet}}
{memory}  target: {{column: y, kind: binary, positive: "yes"}}
  features:
{features}
model: {{kind: mlp, hidden: [8]}}
training: {{epochs: 1, batch_size: 4096}}
"""


def workspace(folder: Path, rows: int, memory: str | None) -> Path:
    """Write a table whose categories are texts of 200 signs, and a spec."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    texts = pa.array([f"{code:02}-" + "x" * 197 for code in range(20)])
    columns: dict[str, pa.Array] = {
        f"c{at}": pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 20, rows, np.int32)), texts)
        for at in range(CATEGORIES)
    }
    numbers = rng.normal(size=(NUMBERS, rows))
    columns |= {f"n{at}": pa.array(values) for at, values in enumerate(numbers)}
    columns["y"] = pa.array(np.where(numbers[0] + rng.normal(size=rows) > 0, "yes", "no"))
    schema = pa.schema([(name, pa.string() if name[0] in "cy" else pa.float64()) for name in columns])
    with parquet.ParquetWriter(folder / "rows.parquet", schema) as file:
        for start in range(0, rows, 50_000):
            file.write_table(
                pa.table({name: one[start : start + 50_000] for name, one in columns.items()}).cast(schema)
            )
    features = [f"    c{at}: category" for at in range(CATEGORIES)]
    features += [f"    n{at}: number" for at in range(NUMBERS)]
    said = f"  memory: {memory}\n" if memory else ""
    (folder / "spec.yaml").write_text(SPEC.format(memory=said, features="\n".join(features)))
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with open(folder / "told", "wb") as told:
        return subprocess.Popen(
            [sys.executable, "-m", "mlspec", "run"], cwd=folder, stdout=told, stderr=told, env=environment
        )


def held(process: psutil.Process) -> int:
    """Return RssAnon of a process and its children, in bytes."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            lines = Path(f"/proc/{one.pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
    return total


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="RssAnon is told by Linux only")
def test_the_processes_of_a_run_keep_to_data_memory(tmp_path: Path) -> None:
    rows, memory = 1_000_000, "1GB"
    folder = workspace(tmp_path / "here", rows, memory)
    table = rows * (CATEGORIES * (200 + 16) + NUMBERS * 8)
    assert table > 2.5 * size(memory)
    process = start(folder)
    peak, tree = 0, psutil.Process(process.pid)
    until = time.monotonic() + 500
    while process.poll() is None and time.monotonic() < until:
        try:
            peak = max(peak, held(tree))
        except psutil.Error:
            break
        time.sleep(0.02)
    process.kill()
    assert process.wait() == 0, (folder / "told").read_text()
    assert 200_000_000 < peak <= size(memory)
    assert (folder / "artifacts" / "wide" / "gate" / "passed").is_file()
