"""Encoded rows on disk: one memory-mapped `.npy` an array, written batch by batch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlspec.sdk.contract import ModelInputs
from mlspec.sdk.encoded import Encoded

TYPES: dict[str, np.dtype[Any]] = {
    "numbers": np.dtype("<f4"),
    "codes": np.dtype("<i4"),
    "target": np.dtype("<f8"),
    "weight": np.dtype("<f4"),
}


class ShardWriter:
    """Writes rows as they come, in bounded memory; use it as a context.

    Args:
        folder: Made where absent; holds `numbers.npy`, `codes.npy`, and `target.npy` and `weight.npy`
            where told.
        rows: How many rows will come.
        inputs: Shape of encoded rows.
        target: Whether rows have a target.
        weight: Whether rows have a weight.
    """

    def __init__(
        self, folder: Path, rows: int, inputs: ModelInputs, *, target: bool = True, weight: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._rows, self._written = folder, rows, 0
        self._shapes: dict[str, tuple[int, ...]] = {
            "numbers": (rows, inputs.numbers),
            "codes": (rows, len(inputs.sizes)),
        }
        if target:
            self._shapes["target"] = (rows,)
        if weight:
            self._shapes["weight"] = (rows,)
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        for name, shape in self._shapes.items():
            file = self._files[name] = open(self._folder / f"{name}.npy", "wb")
            npy.write_array_header_1_0(
                file, {"descr": TYPES[name].str, "fortran_order": False, "shape": shape}
            )
        return self

    def write(
        self,
        numbers: NDArray[Any],
        codes: NDArray[Any],
        target: NDArray[Any] | None = None,
        weight: NDArray[Any] | None = None,
    ) -> None:
        """Append rows.

        Args:
            numbers: `[rows, numbers] float32`.
            codes: `[rows, code columns]` of integers.
            target: `[rows] float64`.
            weight: `[rows] float32`.

        Raises:
            ValueError: an array has another shape than was told, or one is missing (a fault of the caller).
        """
        arrays = {"numbers": numbers, "codes": codes, "target": target, "weight": weight}
        for name, shape in self._shapes.items():
            array = arrays[name]
            if array is None or array.shape != (len(numbers), *shape[1:]):
                raise ValueError(
                    f"{name} is {None if array is None else array.shape}, not {(len(numbers), *shape[1:])}"
                )
            self._files[name].write(
                np.ascontiguousarray(array, TYPES[name]).data.cast("B") if array.size else b""
            )
        self._written += len(numbers)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()
        if kind is None and self._written != self._rows:
            raise ValueError(f"{self._written} rows were written, and {self._rows} were told")


def open_shards(folder: Path) -> Encoded:
    """Return the rows that a `ShardWriter` wrote; nothing is read before it is looked at."""
    weight = folder / "weight.npy"
    target = folder / "target.npy"
    return Encoded(
        numbers=_open(folder / "numbers.npy"),
        codes=_open(folder / "codes.npy"),
        target=_open(target) if target.is_file() else np.empty(0, np.float64),
        weight=_open(weight) if weight.is_file() else None,
    )


def _open(file: Path) -> NDArray[Any]:
    with open(file, "rb") as stream:
        npy.read_magic(stream)
        shape, _, _ = npy.read_array_header_1_0(stream)
    empty = 0 in shape
    found: NDArray[Any] = np.load(file, mmap_mode=None if empty else "r", allow_pickle=False)
    return found
