"""Encoded rows with a known signal, for the contract of models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlspec.engine.files import write_json
from mlspec.engine.preparing.shards import ShardWriter
from mlspec.sdk.contract import FittedTarget, ModelInputs, TargetKind
from mlspec.sdk.encoded import Encoded

INPUTS = ModelInputs(
    numbers=4,
    sizes=(6, 3, 40),
    number_names=("a", "b", "c", "d"),
    code_names=("p", "q", "r"),
)
KINDS: tuple[TargetKind, ...] = ("binary", "category", "number")


def target_of(kind: TargetKind, rows: Encoded | None = None) -> FittedTarget:
    """Return the target of planted rows, with counts, mean and deviation of `rows`."""
    if kind == "number":
        truth = np.array([0.0, 1.0]) if rows is None else rows.target
        return FittedTarget(column="y", kind=kind, mean=float(truth.mean()), std=float(truth.std()))
    classes = ("no", "yes") if kind == "binary" else ("red", "green", "blue")
    counts = tuple(0 for _ in classes)
    if rows is not None:
        counts = tuple(int(n) for n in np.bincount(rows.target.astype(int), minlength=len(classes)))
    return FittedTarget(column="y", kind=kind, classes=classes, counts=counts)


def planted(kind: TargetKind, rows: int, seed: int, inputs: ModelInputs = INPUTS) -> Encoded:
    """Return rows whose target follows from the first number and the first code column, almost."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((rows, inputs.numbers)).astype(np.float32)
    codes = np.zeros((rows, len(inputs.sizes)), np.int32)
    for place, size in enumerate(inputs.sizes):
        # Codes 0 (unseen), 1 (null) and the last one never occur.
        codes[:, place] = random.integers(2, max(3, size - 1), rows)
    signal = numbers[:, 0] * 2.0 if inputs.numbers else np.zeros(rows)
    if inputs.sizes:
        signal = signal + np.where(codes[:, 0] == 2, 2.0, -1.0)
    signal = signal + random.standard_normal(rows) * 0.1
    if kind == "number":
        truth = 1000.0 + 50.0 * signal
    elif kind == "binary":
        truth = (signal > 0).astype(np.float64)
    else:
        truth = np.digitize(signal, [-1.0, 1.0]).astype(np.float64)
    return Encoded(numbers, codes, truth.astype(np.float64))


def hostile(inputs: ModelInputs, rows: int = 2000, seed: int = 5) -> Encoded:
    """Return rows with every legal code, and numbers at the ends of what the feature graph can give."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((rows, inputs.numbers)) * random.choice([1e-3, 1.0, 10.0], (rows, 1))
    edges = np.array([0.0, -0.0, 1e6, -1e6, 5e-324, 1e-30, 16777217.0, 3.0000001])
    odd = random.random(numbers.shape) < 0.02
    numbers[odd] = random.choice(edges, int(odd.sum()))
    codes = (
        np.stack([random.integers(0, size, rows) for size in inputs.sizes], 1)
        if inputs.sizes
        else np.zeros((rows, 0))
    )
    return Encoded(numbers.astype(np.float32), codes.astype(np.int32), np.zeros(0))


def shards(folder: Path, inputs: ModelInputs, target: FittedTarget, **parts: Encoded) -> Path:
    """Write what `prepare` would leave of some splits (train, val, parity), and return the folder."""
    for name, rows in parts.items():
        with ShardWriter(
            folder / "shards" / name,
            rows.rows,
            inputs,
            target=name != "parity",
            weight=rows.weight is not None,
        ) as writer:
            writer.write(rows.numbers, rows.codes, None if name == "parity" else rows.target, rows.weight)
    write_json(folder / "features.json", {"inputs": [], "shape": inputs.model_dump(mode="json")})
    write_json(folder / "target.json", target.model_dump(mode="json"))
    return folder
