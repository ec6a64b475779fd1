"""Samples of the values of many columns, in one file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from mlspec.engine.files import write_bytes
from mlspec.engine.watching.reservoir import Reservoir
from mlspec.errors import StepError

Floats = NDArray[np.float64]
SIZE = b"mlspec.sample"
"""Key of a file's metadata: how many values of a column are kept at most."""


class Samples:
    """Keeps up to `size` values of each column. Each column draws for itself, so no row can be put together.

    Args:
        size: Values of a column that are kept at most.
        random: Chooses them.
    """

    def __init__(self, size: int, random: np.random.Generator) -> None:
        self._size, self._random = size, random
        self._columns: dict[str, Reservoir] = {}

    def add(self, name: str, values: Floats) -> None:
        """Take more values of a column, all of them finite."""
        kept = self._columns.get(name)
        if kept is None:
            kept = self._columns[name] = Reservoir(self._size, self._random)
        kept.add(values)

    def write(self, file: Path) -> None:
        """Write the samples over their older selves, whole; by key, so that the order tells nothing."""
        orders = {name: np.argsort(kept.keys) for name, kept in self._columns.items()}
        columns = self._columns.items()
        lengths = [len(order) for order in orders.values()]
        table = pa.table(
            {
                "column": pa.array(np.repeat(np.array(list(orders), object), lengths), pa.string()),
                "key": _joined([kept.keys[orders[name]] for name, kept in columns]),
                "value": _joined([kept.kept[orders[name]] for name, kept in columns]),
            }
        )
        sink = pa.BufferOutputStream()
        table = table.replace_schema_metadata({SIZE: str(self._size)})
        parquet.write_table(table, sink, compression="zstd", use_dictionary=["column"])
        write_bytes(file, sink.getvalue().to_pybytes())

    @staticmethod
    def merged(files: Iterable[Path]) -> dict[str, Floats]:
        """Return the sample of each column over the rows of all files, sorted.

        Raises:
            StepError: a file holds no samples.
        """
        parts: dict[str, list[tuple[int, Floats, Floats]]] = {}
        for file in files:
            size, table = _read(file)
            for name in table.column("column").unique().to_pylist():
                own = table.filter(pc.equal(table.column("column"), name))
                parts.setdefault(name, []).append(
                    (size, own.column("key").to_numpy(), own.column("value").to_numpy())
                )
        return {name: Reservoir.merged(streams) for name, streams in parts.items()}


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate([np.empty(0, np.float64), *parts])


def _read(file: Path) -> tuple[int, pa.Table]:
    try:
        table = parquet.read_table(pa.BufferReader(file.read_bytes()))
        size = int((table.schema.metadata or {})[SIZE])
        return size, table.select(["column", "key", "value"])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise StepError(
            f"'{file}' holds no samples of values: {error}", fix="move it out of this folder"
        ) from error
