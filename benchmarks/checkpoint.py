"""Seconds and memory of a gathered checkpoint of parted weights, against torch's distributed checkpoint.

    python benchmarks/checkpoint.py [--width 3000] [--runs 3] [--json]

An MLP 64-width-width-1 with AdamW in two `fsdp` processes on the CPU, one thread each. "gathered" is what a
training does: whole tensors on rank 0, which writes one file with its SHA-256. "distributed" is
`torch.distributed.checkpoint` with safetensors, each rank its own part; it is not used (decision 0327), and
neither hashes nor flushes what it writes. Memory is how far a process's peak rises while it saves, as a
multiple of the file. Both run in turn, in new processes each time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RANKS = 2
WAYS = ("gathered", "distributed")


def take_part(rank: int, way: str, width: int, folder: str, results: Any) -> None:
    """Take a step, save, and tell `(rank, seconds, bytes)`."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {"GLOO_SOCKET_IFNAME": "lo"}
    import torch
    from torch import distributed, nn

    from mlspec.sdk.slot import Slot

    torch.set_num_threads(1)
    store = distributed.FileStore(f"{folder}/store", RANKS)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=RANKS)
    layers = nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    module = nn.Sequential(*layers)
    strategy: Any = Slot("strategy").choose("fsdp")
    score = strategy.spread(module, torch.device("cpu"))
    optimizer = torch.optim.AdamW(module.parameters())
    score(torch.randn(32, 64)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    before = peak()
    distributed.barrier()
    start = time.perf_counter()
    (gathered if way == "gathered" else parts)(rank, module, optimizer, Path(folder) / "saved")
    distributed.barrier()
    results.put((rank, time.perf_counter() - start, peak() - before))


def gathered(rank: int, module: Any, optimizer: Any, place: Path) -> None:
    """Save as a training does."""
    from mlspec.engine.training.checkpoint import save_checkpoint
    from mlspec.engine.training.parted import whole

    first = rank == 0
    state = {
        "module": whole(module.state_dict(), first),
        "optimizer": whole(optimizer.state_dict(), first),
    }
    if first:
        save_checkpoint(place / "whole.safetensors", "key", state)


def parts(rank: int, module: Any, optimizer: Any, place: Path) -> None:
    """Save with torch's distributed checkpoint."""
    import torch
    from torch.distributed import checkpoint
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter

    state = {f"module.{name}": value.detach() for name, value in module.state_dict().items()}
    for name, weight in module.named_parameters():
        for key, value in optimizer.state[weight].items():
            if isinstance(value, torch.Tensor) and value.dim():
                state[f"optimizer.{name}.{key}"] = value
    checkpoint.save(state, storage_writer=HuggingFaceStorageWriter(str(place), save_distributed=True))


def peak() -> int:
    """Return the most bytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(way: str, width: int) -> dict[str, float]:
    """Return seconds, bytes of the files, and each rank's memory as a multiple of them."""
    spawned = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        results = spawned.Queue()
        children = [
            spawned.Process(target=take_part, args=(rank, way, width, folder, results))
            for rank in range(RANKS)
        ]
        for child in children:
            child.start()
        told = sorted(results.get(timeout=300) for _ in children)
        for child in children:
            child.join(10)
            if child.is_alive():
                child.kill()
        size = sum(file.stat().st_size for file in (Path(folder) / "saved").iterdir())
    return {
        "seconds": max(seconds for _, seconds, _ in told),
        "bytes": size,
        **{f"memory_{rank}": rise / size for rank, _, rise in told},
    }


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--width", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(given.runs):
        for way in WAYS:
            found[way].append(measure(way, given.width))
    middle = {
        way: {name: statistics.median(one[name] for one in runs) for name in runs[0]}
        for way, runs in found.items()
    }
    if given.json:
        print(json.dumps(middle, indent=2))
        return 0
    for way, told in middle.items():
        print(
            f"{way:<12} {told['seconds']:.2f} s, {told['bytes'] / 1e6:.0f} MB; "
            f"memory {told['memory_0']:.2f} x the file on rank 0, {told['memory_1']:.2f} x on rank 1"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
