"""Training from shards on disk against training from the same arrays in memory: rows a second inside `fit`.

    python benchmarks/shards.py [--rows 2000000] [--runs 5] [--cold]

An MLP 128-128, batch 4,096, one epoch, 20 numbers and 5 categories. Three ways take turns: arrays in memory;
shards, in one order of all rows; shards cut into windows, as rows beyond 1 GiB are (here for fewer). `--cold`
asks the system to forget the shards before each run, and looks whether it did, so that every byte comes from
the disk (a virtual one may still be in its host's memory).
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from mlspec.engine.preparing.shards import ShardWriter, open_shards
from mlspec.engine.training import windows
from mlspec.engine.training.fit import fit
from mlspec.engine.training.lesson import Lesson
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.slot import Slot

INPUTS = ModelInputs(numbers=20, sizes=(12, 50, 100, 1000, 2000))
PIECE = 100_000


def write(folder: Path, rows: int) -> None:
    """Write shards of random rows."""
    with ShardWriter(folder, rows, INPUTS) as shards:
        for start in range(0, rows, PIECE):
            rng, count = np.random.default_rng([3, start]), min(PIECE, rows - start)
            numbers = rng.standard_normal((count, INPUTS.numbers), np.float32)
            codes = np.stack([rng.integers(0, size, count) for size in INPUTS.sizes], axis=1)
            shards.write(numbers, codes, (numbers[:, 0] + numbers[:, 1] > 0).astype(np.float64))


def forget(folder: Path) -> None:
    """Ask the system to drop the pages of all files."""
    for file in folder.glob("*.npy"):
        with open(file, "rb") as stream:
            os.fdatasync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if any(known(stream.fileno(), place) for place in range(0, file.stat().st_size, 2**22)):
                raise SystemExit(f"{file.name} is still in the system's cache")


def known(number: int, place: int) -> bool:
    """Return whether the system has a page of a file in its cache."""
    try:
        os.preadv(number, [bytearray(1)], place, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "shards"
        write(folder, told.rows)
        size = sum(file.stat().st_size for file in folder.glob("*.npy"))
        print(f"{told.rows:,} rows take {size / 2**30:.2f} GiB")
        found: dict[str, list[float]] = {"memory": [], "disk": [], "windows": []}
        for _ in range(told.runs):
            for way, seconds in found.items():
                seconds.append(told.rows / timed(way, folder, Path(name), told.cold))
        for way in ("disk", "windows"):
            pairs = [one / other for one, other in zip(found[way], found["memory"], strict=True)]
            speed = statistics.median(found[way])
            print(f"{way}: {speed:,.0f} rows/s, {statistics.median(pairs):.2f} of the speed from memory")


def timed(way: str, folder: Path, scratch: Path, cold: bool) -> float:
    """Return the seconds of a training."""
    rows = open_shards(folder)
    if way == "memory":
        rows = Encoded(np.array(rows.numbers), np.array(rows.codes), np.array(rows.target))
    elif cold:
        gc.collect()  # pages that a training before still maps are not forgotten
        forget(folder)
    windows.WHOLE = 0 if way == "windows" else 2**62
    target = FittedTarget(column="y", kind="binary", classes=("no", "yes"), counts=(1, 1))
    lesson = Lesson(
        model=Slot("model").choose({"kind": "mlp", "hidden": (128, 128)}),
        inputs=INPUTS,
        target=target,
        train=rows,
        val=None,
        optimizer=Slot("optimizer").choose({"kind": "adamw", "lr": 0.001}),
        epochs=1,
        batch_size=4096,
    )
    start = time.perf_counter()
    fit(lesson, Context(scratch, scratch=scratch / way, say=lambda line: None))
    seconds = time.perf_counter() - start
    for file in (scratch / way).glob("training*"):
        file.unlink()
    return seconds


if __name__ == "__main__":
    main()
