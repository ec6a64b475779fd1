"""How long `mlspec run` takes with nothing to do, held against composing the same spec with bare Hydra.

    python benchmarks/noop.py [--floors ../shared/floors] [--runs 7] [--json]

The example breast_cancer is run once in a scratch copy; each run is a process of its own; they take turns.
"asked" is the same run without its memo of paths, sizes and times, so that DVC is asked about every step.
Limits: 3 x, and no torch, duckdb or onnxruntime imported. Exit code 1 where one is broken.
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
LIMIT = 3.0
HEAVY = ("torch", "duckdb", "onnxruntime", "numpy", "pandas", "pyarrow", "pytorch_lightning", "sklearn")


def seconds(command: list[str], folder: Path) -> float:
    """Return the wall-clock seconds of a process that must succeed with nothing to do."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - start
    if done.returncode or ("mlspec" in command[0] and "nothing to do" not in done.stdout):
        sys.exit(f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def imported(folder: Path) -> list[str]:
    """Return the heavy modules that such a run imports."""
    told = f"print([module for module in {HEAVY} if module in sys.modules])"
    code = f"from mlspec.cli.main import main; main(['run']); import sys; {told}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return list(eval(done.stdout.splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--floors", type=Path, default=ROOT.parent / "shared" / "floors")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as name:
        os.environ["DVC_SITE_CACHE_DIR"] = str(Path(name) / "site")
        folder = Path(name) / "work"
        folder.mkdir()
        shutil.copy(ROOT / "examples" / "breast_cancer" / "spec.yaml", folder)
        mlspec = [str(Path(sys.executable).with_name("mlspec")), "run"]
        subprocess.run(mlspec, cwd=folder, capture_output=True, check=True)
        bare = [
            sys.executable,
            str(arguments.floors.resolve() / "compose_bare.py"),
            "spec.yaml",
            str(ROOT / "conf"),
        ]
        took: dict[str, list[float]] = {"bare": [], "nothing to do": [], "asked": []}
        for round_ in range(arguments.runs + 1):
            once = {"bare": seconds(bare, folder), "nothing to do": seconds(mlspec, folder)}
            shutil.rmtree(folder / ".mlspec" / "memo")
            once["asked"] = seconds(mlspec, folder)  # writes the memo again
            if round_:  # the first round warms the disk
                for program, value in once.items():
                    took[program].append(value)
        heavy = imported(folder)
    median = {program: statistics.median(values) for program, values in took.items()}
    ratios = {program: median[program] / median["bare"] for program in ("nothing to do", "asked")}
    if arguments.json:
        print(json.dumps({"seconds": median, "runs": arguments.runs, "ratios": ratios, "imported": heavy}))
    else:
        for program, value in median.items():
            print(f"{program:<14} {value:.3f} s  ({min(took[program]):.3f}-{max(took[program]):.3f})")
        ok = "ok" if ratios["nothing to do"] <= LIMIT else "TOO SLOW"
        print(f"nothing to do / bare  {ratios['nothing to do']:.2f} x, limit {LIMIT} {ok}")
        print(f"asked / bare          {ratios['asked']:.2f} x")
        print(f"imported of {', '.join(HEAVY)}: {', '.join(heavy) or 'none'}")
    return int(ratios["nothing to do"] > LIMIT or bool(heavy))


if __name__ == "__main__":
    sys.exit(main())
