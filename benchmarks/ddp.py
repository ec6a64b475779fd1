"""Rows a second of two processes with `ddp`, against two hand-written processes with torch's own.

    python benchmarks/ddp.py [--rows 60000] [--batch 2048] [--runs 5]

32 numbers, MLP 512-512-512, two classes, Adam, one epoch, one thread a process on both sides; the network's
own work is most of the time. Both run in pairs, now one first and now the other, each in two processes of its
own. The ratio is the median of the pairs': what else the machine does changes from minute to minute, and both
sides of a pair see much the same of it. Rank 0's clock starts before the loop by hand, and before Lightning's
`Trainer.fit` in ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RANKS = 2


def data(rows: int) -> Any:
    import torch

    torch.manual_seed(0)
    numbers = torch.randn(rows, 32)
    return numbers, (numbers[:, 0] * numbers[:, 1] > 0).long()


def by_hand(rows: int, batch: int, rank: int, store: str) -> float:
    """Return the seconds of an epoch of a plain loop."""
    import torch
    from torch import distributed, nn

    distributed.init_process_group(
        "gloo", store=distributed.FileStore(store, RANKS), rank=rank, world_size=RANKS
    )
    numbers, truth = data(rows)
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for width in (32, 512, 512):
        layers += [nn.Linear(width, 512), nn.ReLU()]
    model = nn.parallel.DistributedDataParallel(nn.Sequential(*layers, nn.Linear(512, 2)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    distributed.barrier()
    start = time.perf_counter()
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(1))
    for places in order.split(batch):
        here = places.chunk(RANKS)[rank]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(numbers[here]), truth[here]).backward()
        optimizer.step()
    return time.perf_counter() - start


def ours(rows: int, batch: int, rank: int, store: str) -> float:
    """Return the seconds of `Trainer.fit` of the same epoch."""
    import numpy as np
    import pytorch_lightning
    from torch import distributed

    from mlspec.engine.training.fit import fit
    from mlspec.engine.training.group import Group
    from mlspec.engine.training.lesson import Lesson
    from mlspec.sdk.context import Context
    from mlspec.sdk.contract import FittedTarget, ModelInputs
    from mlspec.sdk.encoded import Encoded
    from mlspec.sdk.slot import Slot

    seconds: list[float] = []
    whole = pytorch_lightning.Trainer.fit

    def timed(*arguments: object, **options: object) -> None:
        distributed.barrier()
        start = time.perf_counter()
        whole(*arguments, **options)  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - start)

    pytorch_lightning.Trainer.fit = timed  # type: ignore[method-assign, assignment]
    numbers, truth = data(rows)
    lesson = Lesson(
        model=Slot("model").choose({"kind": "mlp", "hidden": (512, 512, 512), "dropout": 0.0}),
        inputs=ModelInputs(numbers=32),
        target=FittedTarget(column="y", kind="category", classes=("no", "yes"), counts=(1, 1)),
        train=Encoded(numbers.numpy(), np.zeros((rows, 0), np.int32), truth.double().numpy()),
        val=None,
        optimizer=Slot("optimizer").choose({"kind": "adam", "lr": 1e-3}),
        epochs=1,
        batch_size=batch,
        strategy=Slot("strategy").choose("ddp"),
    )
    group = Group(rank, RANKS, Path(store))
    with tempfile.TemporaryDirectory() as folder, group.together("cpu"):
        fit(lesson, Context(workspace=Path(folder), scratch=Path(folder)), group=group)
    return seconds[0]


def run(side: str, rows: int, batch: int) -> int:
    """Return the rows a second of one side."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        shape = ("--rows", str(rows), "--batch", str(batch), "--store", f"{folder}/store", "--side", side)
        children = [
            subprocess.Popen(
                [sys.executable, __file__, *shape, "--rank", str(rank)],
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for rank in range(RANKS)
        ]
        told = [child.communicate(timeout=600)[0] for child in children]
        if any(child.returncode for child in children):
            raise SystemExit(f"a process of '{side}' failed")
    return round(rows / json.loads(told[0].strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--runs", type=int, default=5)
    for name in ("--side", "--store"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        work = {"by_hand": by_hand, "ours": ours}[arguments.side]
        print(json.dumps(work(arguments.rows, arguments.batch, arguments.rank, arguments.store)))
        return
    found: dict[str, list[int]] = {"by_hand": [], "ours": []}
    for turn in range(arguments.runs + 1):
        sides = list(found) if turn % 2 else list(found)[::-1]
        pair = {side: run(side, arguments.rows, arguments.batch) for side in sides}
        if turn:  # the first pair reads the libraries from the disk
            for side, numbers in found.items():
                numbers.append(pair[side])
    pairs = [ours / hand for ours, hand in zip(found["ours"], found["by_hand"], strict=True)]
    ratio = round(statistics.median(pairs), 2)
    text = json.dumps({"ratio": ratio, "must_be_at_least": 0.9, "rows_per_second": found}, indent=2)
    (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
    (ROOT / "benchmarks" / "results" / "ddp.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
