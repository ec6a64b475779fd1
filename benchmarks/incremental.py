"""A new file beside many that were seen: the data steps of that run against doing all of it.

    python benchmarks/incremental.py [--files 20] [--rows 100000] [--form parquet|csv] [--runs 3] [--trains]

One workspace has run the data steps on all files but the last, which comes now; the other one is empty and
has all of them. Both run `mlspec run --until prepare`, in turn, and what they wrote is compared byte for
byte. 13 columns: a key, a time, 8 numbers with gaps, 3 categories, a target; a file a day, the last ten days
choose and judge. The new file judges, or comes to the rows that train (`--trains`): then the fit is another
one, and all rows are encoded. Prints seconds of each step, of the two processes, and their ratio (medians).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
FIRST = date(2024, 1, 1)
STEPS = ("ingest", "validate", "prepare")
SPEC = """\
apiVersion: mlspec/v1
name: days
data:
  source: {{kind: {form}, path: rows}}
  key: [id]
  target: {{column: late, kind: binary, positive: "yes"}}
  event_time: {{column: at, timezone: UTC}}
  features:
    {features}
  split: {{kind: time, val_from: "{val}", test_from: "{test}"}}
model: linear
"""


def write_day(folder: Path, day: int, rows: int, form: str) -> None:
    """Write a day's file."""
    rng = np.random.default_rng([5, day])
    numbers = rng.normal(size=(8, rows)).round(4)
    frame = pd.DataFrame({f"n{at}": values for at, values in enumerate(numbers)})
    frame = frame.mask(rng.random(frame.shape) < 0.02)
    frame.insert(0, "id", np.arange(rows) + day * rows)
    frame.insert(1, "at", pd.date_range(FIRST + timedelta(day), periods=rows, freq="500ms"))
    for at, size in enumerate((4, 60, 2000)):
        frame[f"c{at}"] = np.array([f"{at}-{code}" for code in range(size)])[rng.integers(0, size, rows)]
    frame["late"] = np.where(numbers[0] + rng.normal(size=rows) > 0, "yes", "no")
    file = folder / f"{FIRST + timedelta(day)}.{form}"
    if form == "csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file, index=False)


def make(place: Path, days: range, files: int, rows: Path, form: str) -> None:
    """Make a workspace whose rows are links to some days' files."""
    (place / "rows").mkdir(parents=True)
    features = [f"n{at}: number" for at in range(8)] + [f"c{at}: category" for at in range(3)]
    val, test = FIRST + timedelta(files - 10), FIRST + timedelta(files - 5)
    (place / "spec.yaml").write_text(
        SPEC.format(form=form, features="\n    ".join(features), val=val, test=test)
    )
    for day in days:
        give(place, day, rows, form)


def give(place: Path, day: int, rows: Path, form: str) -> None:
    """Bring a day's file to a workspace."""
    name = f"{FIRST + timedelta(day)}.{form}"
    os.link(rows / name, place / "rows" / name)


def run(place: Path) -> dict[str, float]:
    """Run the data steps; return seconds of each, and of the whole process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "mlspec", "run", "--until", "prepare"],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    whole = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr)
    record = json.loads((place / "pipelines" / "days" / "run.json").read_text())
    return {item["step"]: item["seconds"] for item in record["steps"]} | {"process": whole}


def digest(place: Path) -> str:
    """Return one hash of all that the data steps wrote."""
    found = hashlib.sha256()
    for file in sorted((place / "artifacts" / "data-days").rglob("*")):
        if file.is_file() and "logs" not in file.parts:
            found.update(file.relative_to(place).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=20, help="days in all, more than ten")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of a file, at most 172,800")
    parser.add_argument("--form", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--trains", action="store_true", help="the new file's rows train")
    told = parser.parse_args()
    new = 0 if told.trains else told.files - 1
    pairs = []
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        (base / "rows").mkdir()
        for day in range(told.files):
            write_day(base / "rows", day, told.rows, told.form)
        for _ in range(told.runs):
            for name in ("grown", "whole"):
                shutil.rmtree(base / name, ignore_errors=True)
                make(base / name, range(told.files), told.files, base / "rows", told.form)
            (base / "grown" / "rows" / f"{FIRST + timedelta(new)}.{told.form}").unlink()
            run(base / "grown")
            give(base / "grown", new, base / "rows", told.form)
            (base / "grown" / "contracts" / "days.yaml").unlink()  # so that each is made of all rows
            pairs.append((run(base / "grown"), run(base / "whole")))
            if digest(base / "grown") != digest(base / "whole"):
                raise SystemExit("the two workspaces hold other bytes")
    found = {}
    for step in (*STEPS, "process"):
        grown, whole = (statistics.median(pair[side][step] for pair in pairs) for side in (0, 1))
        found[step] = {"new file": round(grown, 2), "all": round(whole, 2), "ratio": round(grown / whole, 2)}
    print(
        json.dumps({"files": told.files, "rows": told.rows, "form": told.form, "trains": told.trains} | found)
    )


if __name__ == "__main__":
    main()
