"""Rows that the step encoded before: of files that are the same, under the same graph, they are not encoded
again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mlspec.engine.files import write_json
from mlspec.engine.parts import key_of
from mlspec.engine.preparing.shards import open_shards
from mlspec.sdk.context import Context
from mlspec.sdk.contract import ModelInputs
from mlspec.sdk.encoded import Encoded

FILE = "encoded.json"
FORM = 1
"""Raised when encoded rows of the same file and graph have another form or meaning."""
SPLITS = ("train", "val")


@dataclass(frozen=True)
class Run:
    """Rows from files beside one another."""

    kept: Mapping[str, Encoded] | None
    """By split: they themselves, encoded before; None where they are to be encoded."""
    condition: str
    """SQL for those that are to be read."""

    def pieces(self, split: str, rows: int) -> Iterator[Encoded]:
        """Yield the rows of a split that are kept, so many at once at most."""
        if self.kept is not None:
            kept = self.kept[split]
            for start in range(0, kept.rows, rows):
                yield kept.part(slice(start, start + rows))


@dataclass(frozen=True)
class EncodedFiles:
    """The files of a source, and how many rows of each are in which split."""

    made_of: str
    """A hash of all that decides how a row is encoded."""
    keys: tuple[str, ...]
    """A file each: a hash of its content, and of which of its rows are in which split."""
    counts: Mapping[str, tuple[int, ...]]
    """By split: rows of each file."""
    firsts: tuple[int, ...]
    """Each file's first row, as `mlspec_row` has it, and the number of all rows."""
    before: Mapping[str, tuple[Encoded, Mapping[str, int]]]
    """By split: the shards of before, and where in them the rows of a file begin, by its key."""

    @classmethod
    def of(
        cls,
        contents: Sequence[str],
        extents: Sequence[int],
        batches: Iterable[pa.RecordBatch],
        made_of: Any,
        shape: ModelInputs,
        before: Path | None,
    ) -> Self:
        """Look at which rows of which file are in which split, and at what was encoded before.

        Args:
            contents: A hash of what each file holds.
            extents: How many rows each file has, those with them that are in no split.
            batches: `mlspec_row` and `mlspec_split` of all rows that are in one, in their order.
            made_of: Plain data of all that decides how a row is encoded.
            shape: Of encoded rows.
            before: What the step wrote last, whole; None where there is nothing.
        """
        firsts = (0, *accumulate(extents))
        seen = _Splits(firsts)
        for batch in batches:
            seen.add(batch)
        keys = tuple(
            key_of([content, split]) for content, split in zip(contents, seen.digests(), strict=True)
        )
        found = cls(key_of([FORM, made_of]), keys, seen.counts, firsts, {})
        return found if before is None else replace(found, before=found._found(before, shape))

    def _found(self, folder: Path, shape: ModelInputs) -> dict[str, tuple[Encoded, Mapping[str, int]]]:
        try:
            told = json.loads((folder / FILE).read_bytes())
            if told["made_of"] != self.made_of:
                return {}
            found: dict[str, tuple[Encoded, Mapping[str, int]]] = {}
            for split in SPLITS:
                ends = [0, *accumulate(rows[split] for _, rows in told["files"])]
                rows = open_shards(folder / "shards" / split)
                if (rows.rows, rows.numbers.shape[1], rows.codes.shape[1]) != (
                    ends[-1],
                    shape.numbers,
                    len(shape.sizes),
                ):
                    return {}
                found[split] = (rows, {key: ends[at] for at, (key, _) in enumerate(told["files"])})
        except (OSError, ValueError, LookupError, TypeError):
            return {}
        return found

    def tell(self, context: Context) -> None:
        """Say how many files' rows were taken as they had been encoded before, if any were."""
        known = self.before["train"][1] if self.before else {}
        reused, files = sum(key in known for key in self.keys), len(self.keys)
        if reused:
            context.say(
                f"{files - reused} of {files} files encoded; the encoded rows of the others are reused"
            )

    def runs(self) -> Iterator[Run]:
        """Yield all rows in their order, in as few pieces as can be."""
        at = 0
        while at < len(self.keys):
            start, where = at, self._where(at)
            rows = dict.fromkeys(SPLITS, 0)
            while at < len(self.keys) and self._where(at) == _after(where, rows):
                rows = {split: rows[split] + self.counts[split][at] for split in SPLITS}
                at += 1
            low, high = self.firsts[start], self.firsts[at]
            whole = (start, at) == (0, len(self.keys))
            condition = "true" if whole else f"mlspec_row >= {low} AND mlspec_row < {high}"
            if where is None:
                yield Run(None, condition)
                continue
            kept = {
                split: self.before[split][0].part(slice(where[split], where[split] + rows[split]))
                for split in SPLITS
            }
            yield Run(kept, f"{condition} AND mlspec_split = 'test'")

    def _where(self, at: int) -> Mapping[str, int] | None:
        """Return where in the shards of before a file's rows begin, by split."""
        if not self.before or self.keys[at] not in self.before[SPLITS[0]][1]:
            return None
        return {split: self.before[split][1][self.keys[at]] for split in SPLITS}

    def write(self, folder: Path) -> None:
        """Write down what was encoded of which file."""
        files = [
            [key, {split: self.counts[split][at] for split in SPLITS}] for at, key in enumerate(self.keys)
        ]
        write_json(folder / FILE, {"made_of": self.made_of, "files": files})


class _Splits:
    """Counts, file by file, which rows are in which split."""

    def __init__(self, firsts: Sequence[int]) -> None:
        files = len(firsts) - 1
        self._firsts = np.asarray(firsts, np.int64)
        self._hashes = [hashlib.blake2b(digest_size=20) for _ in range(files)]
        self._counts = {split: [0] * files for split in SPLITS}

    def add(self, batch: pa.RecordBatch) -> None:
        rows: NDArray[np.int64] = batch.column(0).to_numpy()
        codes = pc.index_in(batch.column(1), value_set=pa.array(SPLITS)).fill_null(len(SPLITS)).to_numpy()
        borders = [0, *np.searchsorted(rows, self._firsts[1:-1]).tolist(), len(rows)]
        for at, (low, high) in enumerate(pairwise(borders)):
            if low == high:
                continue
            places = (rows[low:high] - self._firsts[at]) * (len(SPLITS) + 1) + codes[low:high]
            self._hashes[at].update(np.ascontiguousarray(places, "<i8").data)
            for code, split in enumerate(SPLITS):
                self._counts[split][at] += int(np.count_nonzero(codes[low:high] == code))

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        return {split: tuple(counts) for split, counts in self._counts.items()}

    def digests(self) -> list[str]:
        return [found.hexdigest() for found in self._hashes]


def _after(where: Mapping[str, int] | None, rows: Mapping[str, int]) -> Mapping[str, int] | None:
    return None if where is None else {split: where[split] + rows[split] for split in SPLITS}
