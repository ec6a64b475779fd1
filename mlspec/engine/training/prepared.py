"""What `prepare` left for training."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlspec.engine.files import read_json
from mlspec.engine.plain_value import plain_value
from mlspec.engine.preparing.shards import open_shards
from mlspec.engine.preparing.sums import read_sums
from mlspec.engine.training.labels import labels
from mlspec.engine.training.resumable import resumable
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.sums import Sums

SAMPLE = 1 << 18
"""Values at each end of an array that a checkpoint's key looks at."""


@dataclass(frozen=True)
class Prepared:
    """Encoded rows and their shape."""

    inputs: ModelInputs
    target: FittedTarget
    train: Encoded
    """None of them where `sums` tells of them."""
    val: Encoded | None
    """None where no row is in the val split."""
    parity: Encoded
    """Held-out and hostile rows, without truth."""
    called: Path | None = None
    """The file that says what training rows are called; None where there is none."""
    folder: Path | None = None
    """What `prepare` wrote all of this into."""
    sums: Sums | None = None
    """Sums over training rows that stayed in a database; None where the rows are here."""

    def names(self, rows: Sequence[int]) -> list[str]:
        """Return what training rows are called: by their keys, or by their places in the source.

        Args:
            rows: Their numbers in the split, from 0.
        """
        if self.called is None:
            return [f"row {row} of the training split (counted from 0)" for row in rows]
        from pyarrow import parquet

        table = parquet.read_table(self.called).take(list(rows))
        keys = [name for name in table.column_names if name != "mlspec_row"]
        if not keys:
            places = table.column("mlspec_row").to_pylist()
            return [f"row {row} of the source (counted from 0)" for row in places]
        return [
            " ".join(f"{name} '{plain_value(line[name])}'" for name in keys) for line in table.to_pylist()
        ]

    def labels(self) -> Mapping[str, Mapping[int, str]]:
        """Return what the codes of each code column stand for, as far as anybody knows."""
        graph = self.folder / "features.onnx" if self.folder is not None else None
        return labels(graph) if graph is not None and graph.is_file() else {}

    def key(self, parameters: Mapping[str, Any]) -> str:
        """Return what a training with these parameters on these rows is known by.

        The runner gives each training a scratch folder of its own; this is the second look, so it reads only
        the ends of large arrays.
        """
        import torch

        digest = hashlib.sha256(json.dumps(resumable(parameters), sort_keys=True).encode())
        digest.update(f"{torch.__version__} {self.inputs!r} {self.target!r}".encode())
        for rows in (self.train, self.val):
            if rows is not None:
                for array in (rows.numbers, rows.codes, rows.target, rows.weight):
                    digest.update(_sum(array))
        return digest.hexdigest()


def prepared(folder: Path) -> Prepared:
    """Return what `prepare` wrote into its folder; rows are memory-mapped."""
    shards, called = folder / "shards", folder / "rows" / "train.parquet"
    val = open_shards(shards / "val") if (shards / "val").is_dir() else None
    inputs = ModelInputs.revive(read_json(folder / "features.json")["shape"])
    sums = read_sums(folder / "sums") if (folder / "sums").is_dir() else None
    return Prepared(
        inputs=inputs,
        target=FittedTarget.revive(read_json(folder / "target.json")),
        train=open_shards(shards / "train") if sums is None else _none(inputs),
        val=val if val is not None and val.rows else None,
        parity=open_shards(shards / "parity"),
        called=called if called.is_file() else None,
        folder=folder,
        sums=sums,
    )


def _none(inputs: ModelInputs) -> Encoded:
    return Encoded(
        np.empty((0, inputs.numbers), np.float32),
        np.empty((0, len(inputs.sizes)), np.int32),
        np.empty(0, np.float64),
    )


def _sum(array: np.ndarray[Any, Any] | None) -> bytes:
    if array is None:
        return b"none"
    flat = array.reshape(-1)
    ends = zlib.crc32(flat[-SAMPLE:].tobytes(), zlib.crc32(flat[:SAMPLE].tobytes()))
    return f"{array.shape} {array.dtype.str} {ends}".encode()
