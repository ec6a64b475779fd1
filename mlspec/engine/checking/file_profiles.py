"""Profiles of files that are read as one stream of rows, each written when its last row came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlspec.engine.checking.profile import write_profile
from mlspec.engine.reading.by_file import ByFile, Fresh
from mlspec.engine.reading.flat import flat_columns
from mlspec.engine.reading.together import SHOWN

CELLS = 2_000_000
"""Values that are looked at at once, about."""
_OURS = ("mlspec_part", "mlspec_reject", "mlspec_raw")


@dataclass
class FileProfiles:
    """Looks at some files of a source in one pass over their rows."""

    by_file: ByFile
    fresh: Fresh
    forms: Mapping[str, str]
    """`number` or `category`, of each column."""
    stream: Iterator[pa.Table]
    """The rows in the order of the files; none of it holds rows of two."""
    ahead: pa.Table | None = None
    """Rows that were taken from it and belong to a later file."""

    @classmethod
    def of(cls, by_file: ByFile, fresh: Fresh) -> FileProfiles:
        """Ask for the rows of files; they are read as they are needed."""
        schema = fresh.backend.table("mlspec_typed").schema()
        values, forms = flat_columns({item.role.column: schema[item.role.column] for item in by_file.casts})
        query = f"SELECT {', '.join([*values, *_OURS])} FROM mlspec_typed"
        step = max(CELLS // max(len(forms), 1), 1024)
        batches = fresh.backend.con.execute(query).to_arrow_reader(step)
        return cls(by_file, fresh, forms, _cut(batches))

    def of_file(self, place: int) -> Callable[[Path], Mapping[str, Any]]:
        """Return what writes the profile of the next file into a folder.

        Args:
            place: Of the file in the source; files are asked for in their order.
        """
        return lambda folder: self._write(place, folder)

    def _write(self, place: int, folder: Path) -> Mapping[str, Any]:
        rejects = _Rejects()
        told = write_profile(rejects.without(self._pieces(place), [*self.forms]), self.forms, folder)
        self.by_file.check(place)
        lost = self.by_file.nameless(place, self.fresh.unreadable.get(place, ()))
        read = {"read": rejects.rows, "forms": dict(self.forms), "lost": lost, "rejects": rejects.plain()}
        return told | read

    def _pieces(self, place: int) -> Iterator[pa.Table]:
        code = self.fresh.places.index(place)
        while True:
            piece = self.ahead if self.ahead is not None else next(self.stream, None)
            self.ahead = None
            if piece is None:
                return
            found = piece.column("mlspec_part")[0].as_py()
            if found > code:
                self.ahead = piece
                return
            if found < code:
                raise self.by_file.mixed(self.fresh.places[found])
            yield piece


@dataclass
class _Rejects:
    """Rows of a file that cannot be read, taken out of the others."""

    def __post_init__(self) -> None:
        self.rows = 0
        """Rows of the file that could be taken apart, these among them."""
        self._found: dict[int, tuple[int, list[list[Any]]]] = {}

    def without(self, pieces: Iterator[pa.Table], names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the readable rows of each piece."""
        for piece in pieces:
            codes = piece.column("mlspec_reject")
            if codes.null_count < piece.num_rows:
                self._note(codes.to_pylist(), piece.column("mlspec_raw").to_pylist())
                piece = piece.filter(pc.is_null(codes))
            self.rows += len(codes)
            yield piece.select(names)

    def _note(self, codes: Sequence[int | None], raws: Sequence[str | None]) -> None:
        for at, (code, raw) in enumerate(zip(codes, raws, strict=True), self.rows):
            if code is None:
                continue
            many, shown = self._found.get(code, (0, []))
            self._found[code] = (many + 1, [*shown, [at, raw]] if many < SHOWN else shown)

    def plain(self) -> list[list[Any]]:
        """Return by reason: its number, how many rows, places in the file and texts of the first ones."""
        return [[code, *found] for code, found in sorted(self._found.items())]


def _cut(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield batches as tables, cut where the next file begins."""
    for batch in batches:
        codes = batch.column("mlspec_part").to_numpy()
        ends = [*(np.flatnonzero(np.diff(codes.astype(np.int64))) + 1).tolist(), len(codes)]
        start = 0
        for end in ends:
            if end > start:
                yield pa.Table.from_batches([batch.slice(start, end - start)])
            start = end
