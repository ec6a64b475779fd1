"""How long `mlspec report` takes and how large its page is, on the example breast_cancer.

    python benchmarks/report.py [--runs 7] [--json]

The example is run once in a scratch copy. "process" is the whole command, a process of its own each time;
"bare" is a process that does nothing but `mlspec --version`; "page" is the making of the page alone, in this
process, its files read each time. Limits: 2 s for the process, 2 MB for the page. Exit code 1 where one is
broken.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS, BYTES = 2.0, 2_000_000


def command(folder: Path, *words: str) -> float:
    """Return the wall-clock seconds of an mlspec command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "mlspec", *words], cwd=folder, capture_output=True, text=True
    )
    took = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"mlspec {words} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def page_seconds(folder: Path) -> float:
    """Return the seconds from the record's file to the page's bytes."""
    from mlspec.run.before import before
    from mlspec.run.record import latest, read_record
    from mlspec.telling.left import Left
    from mlspec.telling.page import page

    start = time.perf_counter()
    record = read_record(latest(folder, "breast_cancer"))
    page(Left(record, folder, before=before(record, folder)))
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["DVC_SITE_CACHE_DIR"] = str(Path(name) / "site")
        folder = Path(name) / "work"
        folder.mkdir()
        shutil.copy(ROOT / "examples" / "breast_cancer" / "spec.yaml", folder)
        command(folder, "run")
        took: dict[str, list[float]] = {"process": [], "bare": [], "page": []}
        for round_ in range(arguments.runs + 1):
            once = {
                "process": command(folder, "report", "-o", "page.html"),
                "bare": command(folder, "--version"),
                "page": page_seconds(folder),
            }
            if round_:  # the first round warms the disk
                for what, value in once.items():
                    took[what].append(value)
        size = (folder / "page.html").stat().st_size
    median = {what: statistics.median(values) for what, values in took.items()}
    if arguments.json:
        print(json.dumps({"seconds": median, "runs": arguments.runs, "bytes": size}))
    else:
        for what, value in median.items():
            print(f"{what:<8} {value:.3f} s  ({min(took[what]):.3f}-{max(took[what]):.3f})")
        print(f"size     {size:,} bytes, limit {BYTES:,}")
    return int(median["process"] > SECONDS or size > BYTES)


if __name__ == "__main__":
    sys.exit(main())
