"""A whole `mlspec run` on more and more rows: peak memory of each step, and rows per second.

    python benchmarks/memory.py [--rows 500000 2000000] [--folder DIR] [--keep] [--memory 2GB] [--epochs 1]
                                [--files 3000] [--form csv] [--until ingest]

The table has 20 columns (14 numbers with gaps, 5 categories, a binary target) in Parquet files of a million
rows, or in as many `--files` as are asked for, made from a seed and written once a size. Each run starts in
an empty workspace and is the same command that a user types; `model: mlp`, batches of 4,096 rows.

Memory is RssAnon summed over the process tree, looked at every 20 ms: what the processes hold themselves.
Pages of memory-mapped files are not in it, for the system takes those back when it wants to. A run on
1,000 rows tells what start-up costs (interpreter, torch, ONNX Runtime); its peak in the same step is
taken off. Disk is what lies in `.mlspec` and `artifacts`, looked at twice a second, beside what `mlspec plan`
tells.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from pyarrow import csv, parquet

ROOT = Path(__file__).resolve().parents[1]
EVERY, SELDOM = 0.02, 0.5
"""Seconds between two looks at memory, and at the disk."""
PIECE, SMALL = 1_000_000, 1_000
"""Rows of a file; rows of the run that tells what start-up costs."""
NUMBERS, CATEGORIES = 14, 5
SPEC = """\
apiVersion: mlspec/v1
name: table
seed: 1
data:
  source: {{kind: {form}, path: "rows/*.{form}"}}
{memory}  target: {{column: target, kind: binary, positive: "yes"}}
  features:
{features}
model: {{kind: mlp, hidden: [64, 64]}}
training: {{epochs: {epochs}, batch_size: 4096}}
evaluation: {{metrics: [auroc, accuracy, log_loss]}}
"""


def write_rows(folder: Path, rows: int, files: int | None, form: str) -> None:
    """Write a table of so many rows in so many files, or in files of a million rows."""
    folder.mkdir(parents=True)
    share = max(rows // files, 1) if files else PIECE
    names = [np.array([f"{at}-{code}" for code in range(10 ** (at + 1))][:2000]) for at in range(CATEGORIES)]
    for piece, start in enumerate(range(0, rows, share)):
        count = min(share, rows - start)
        rng = np.random.default_rng([7, piece])
        numbers = rng.normal(size=(NUMBERS, count))
        truth = numbers[0] + numbers[1] * numbers[2] + rng.normal(size=count) > 0
        columns: dict[str, pa.Array] = {}
        for at, values in enumerate(numbers):
            gaps = rng.random(count) < 0.02 if at % 3 == 0 else None
            columns[f"n{at}"] = pa.array(np.round(values, 4), mask=gaps)
        for at, known in enumerate(names):
            codes = pa.array((rng.random(count) ** 2 * len(known)).astype(np.int32))
            columns[f"c{at}"] = pa.DictionaryArray.from_arrays(codes, pa.array(known)).cast(pa.string())
        columns["target"] = pa.array(np.where(truth, "yes", "no"))
        file = folder / f"{piece:04}.{form}"
        if form == "csv":
            csv.write_csv(pa.table(columns), file)
        else:
            parquet.write_table(pa.table(columns), file, row_group_size=100_000)


def write_workspace(folder: Path, rows: Path, form: str, memory: str | None, epochs: int) -> None:
    """Write a spec beside a link to the rows."""
    folder.mkdir(parents=True)
    (folder / "rows").symlink_to(rows)
    features = [f"    n{at}: number" for at in range(NUMBERS)] + [
        f"    c{at}: category" for at in range(CATEGORIES)
    ]
    said = f"  memory: {memory}\n" if memory else ""
    told = SPEC.format(form=form, memory=said, features="\n".join(features), epochs=epochs)
    (folder / "spec.yaml").write_text(told)


def held(process: psutil.Process) -> int:
    """Return RssAnon of a process and its children, in bytes."""
    total = 0
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    for one in tree:
        try:
            with open(f"/proc/{one.pid}/status") as file:
                total += next((int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon")), 0)
        except OSError:
            continue
    return total


def lying(folder: Path) -> int:
    """Return the bytes of what a run leaves and works with; DVC's cache has links to it."""
    total = 0
    for place, _, names in itertools.chain(os.walk(folder / ".mlspec"), os.walk(folder / "artifacts")):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total


def told(folder: Path, environment: dict[str, str]) -> int:
    """Return the bytes of disk that a plan tells."""
    command = [sys.executable, "-m", "mlspec", "plan", "--json"]
    answer = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return int(json.loads(answer.stdout)["takes"]["disk"])


def run(folder: Path, until: str | None) -> dict[str, object]:
    """Run a workspace; return peak bytes of memory and disk of each step, and seconds."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    plan = told(folder, environment)
    peaks: dict[str, int] = defaultdict(int)
    disk: dict[str, int] = defaultdict(int)
    looked, worked = 0.0, os.times()
    start = time.perf_counter()
    with open(folder / "printed", "wb") as out, open(folder / "told", "wb") as err:
        command = [sys.executable, "-m", "mlspec", "run", *(["--until", until] if until else [])]
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=environment)
        tree, step, doing = psutil.Process(process.pid), "", folder / ".mlspec" / "tmp"
        while process.poll() is None:
            here = [one.name for one in doing.iterdir()] if doing.is_dir() else []
            now = [name.rpartition("-")[0] for name in here if name.endswith(f"-{process.pid}")]
            # Between two steps their files are hashed: that belongs to the step before.
            step = next((name for name in now if not name.startswith(("old-", "aside-"))), step)
            peaks[step] = max(peaks[step], held(tree))
            if time.perf_counter() - looked > SELDOM:
                disk[step], looked = max(disk[step], lying(folder)), time.perf_counter()
            time.sleep(EVERY)
    seconds, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system - worked.children_user - worked.children_system
    if process.returncode:
        raise SystemExit((folder / "told").read_text())
    record = json.loads((folder / "pipelines" / "table" / "run.json").read_text())
    took = {item["step"]: item["seconds"] for item in record["steps"]}
    return {
        "peaks": dict(peaks),
        "peak": max(peaks.values()),
        "disk": dict(disk),
        "told": plan,
        "took": took,
        "seconds": seconds,
        "processor": processor,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[500_000, 2_000_000])
    parser.add_argument("--folder", type=Path, help="where tables are kept from call to call")
    parser.add_argument("--memory", help="data.memory of every run")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--files", type=int, help="in how many files a table is")
    parser.add_argument("--form", choices=["parquet", "csv"], default="parquet")
    parser.add_argument("--until", help="the last step of every run")
    parser.add_argument("--keep", action="store_true", help="leave the workspaces")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = (told.folder or Path(temporary)).resolve()
        found: dict[int, dict[str, object]] = {}
        for rows in [SMALL, *sorted(told.rows)]:
            name = "-".join([str(rows), *([str(told.files)] if told.files else [])])
            table, place = base / f"rows-{told.form}-{name}", base / f"run-{name}"
            if not table.is_dir():
                write_rows(table, rows, told.files, told.form)
            shutil.rmtree(place, ignore_errors=True)
            write_workspace(place, table, told.form, told.memory, told.epochs)
            found[rows] = run(place, told.until)
            if not told.keep:
                shutil.rmtree(place, ignore_errors=True)
            show(rows, found[rows], found[SMALL])
    ratios(found)


def show(rows: int, one: dict, small: dict) -> None:
    """Print a size's steps: MB above start-up, and rows a second."""
    speed = rows / one["seconds"]
    seconds = f"{one['seconds']:.1f} s ({one['processor']:.1f} s of the processor)"
    print(f"{rows:,} rows: {seconds}, {speed:,.0f} rows/s, peak {mb(one['peak'])} MB")
    print(f"  disk: {mb(max(one['disk'].values()))} MB at most, {mb(one['told'])} MB told by the plan")
    for step, peak in one["peaks"].items():
        if step:
            disk = mb(one["disk"].get(step, 0))
            above = mb(peak - small["peaks"].get(step, small["peak"]))
            took = one["took"].get(step, 0.0)
            memory = f"{mb(peak):>7} MB  {above:>7} MB above start-up"
            print(f"  {step:<16} {memory}  {took:8.1f} s  {disk:>7} MB of disk", flush=True)


def ratios(found: dict[int, dict]) -> None:
    """Print what the sizes are to each other."""
    small = found.pop(SMALL)
    sizes = sorted(found)
    above = {rows: found[rows]["peak"] - small["peak"] for rows in sizes}
    speed = {rows: rows / found[rows]["seconds"] for rows in sizes}
    for low, high in itertools.pairwise(sizes):
        print(
            f"{high:,} against {low:,} rows: peak memory {above[high] / above[low]:.2f} x, "
            f"rows per second {speed[high] / speed[low]:.2f} x"
        )


def mb(count: int) -> int:
    return round(count / 1e6)


if __name__ == "__main__":
    main()
