"""Split the rows, fit the feature graph on the training split, and encode everything through it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from mlspec.engine.ask import here
from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.checking.top import top
from mlspec.engine.files import read_json, write_json
from mlspec.engine.graph.features import fit_features, read_features, write_features
from mlspec.engine.graph.hostile import hostile_rows
from mlspec.engine.graph.session import Session
from mlspec.engine.preparing.assigned import assigned
from mlspec.engine.preparing.encoded_files import EncodedFiles, Run
from mlspec.engine.preparing.file_contents import contents_of, made_of
from mlspec.engine.preparing.fit_target import fit_target
from mlspec.engine.preparing.moved import moved, needed
from mlspec.engine.preparing.reference import reference
from mlspec.engine.preparing.shards import ShardWriter
from mlspec.engine.preparing.suspicions import suspicions
from mlspec.engine.provenance import FILE, made_by
from mlspec.engine.pulse import pulse
from mlspec.engine.pushdown.open_reading import open_reading
from mlspec.engine.reading.reading import Reading
from mlspec.engine.reading.row_file import RowFile, stored_rows
from mlspec.engine.sql import literal, quote
from mlspec.errors import StepError
from mlspec.sdk.budget import WIDE, Budget
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, InputColumn, ModelInputs
from mlspec.sdk.feature import Feature
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.split import Split

HELD_OUT = 10_000
"""Rows of the test split that parity is tried on, at most."""
KNOWN = 20
"""Values of a category that hostile rows are made of."""


def prepare(
    parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context
) -> None:
    """Write the feature graph, the target's coding, encoded shards, held-out rows, the reference, the ledger
    and warnings.

    Args:
        parameters: `seed` and `data`.
        inputs: `ingest`, for the columns' types.
        output: An empty folder.
        context: Where the step works.

    Raises:
        StepError: the data does not suit the spec, or a split is empty.
    """
    data = parameters["data"]
    manifest = read_json(inputs["ingest"] / "manifest.json")
    reading = open_reading(data, inputs["ingest"], manifest, context)
    with pulse(reading.table.get_backend().con, context, reading.rows, "rows"):
        rows, counts = assigned(reading, data, parameters["seed"], context)
    train = rows.filter(rows.mlspec_split == "train").drop("mlspec_split")
    features: dict[str, Feature] = {
        name: Slot("feature").choose(freeze(option))  # type: ignore[misc]
        for name, option in data["features"].items()
    }
    with pulse(rows.get_backend().con, context, counts["train"], "rows"):
        fitted = fit_features(train, features)
    write_features(output, fitted, manifest["columns"])
    columns, shape = read_features(output)
    told = data["target"]
    target = fit_target(train, told["column"], told["kind"], told.get("positive"))
    write_json(output / "target.json", target.model_dump())
    if not here(rows):
        rows = moved(rows, _needed(parameters), sum(counts.values()), context)
        reading.close()
        train = rows.filter(rows.mlspec_split == "train").drop("mlspec_split")
    work = _Work(
        rows,
        columns,
        shape,
        target,
        data.get("weight"),
        Session(output / "features.onnx", columns, (NUMBERS, CODES)),
        context,
        _files(reading, data, manifest, rows, shape, output, context),
    )
    for split in ("train", "val"):
        work.encode(split, counts[split], output / "shards" / split)
    if work.files is not None:
        work.files.write(output)
        work.files.tell(context)
    work.keep_keys(data.get("key") or (), output / "rows" / "train.parquet")
    work.keep_test(counts["test"], output / "rows" / "test.parquet")
    known = {
        item.name: [value for value, _ in top(train, item.name, KNOWN)]
        for item in columns
        if item.tensor == "string"
    }
    work.keep_parity(counts["test"], hostile_rows(columns, known), output)
    with pulse(rows.get_backend().con, context, counts["train"], "rows"):
        inner = reference(train.select("mlspec_row", *(item.name for item in columns)))
    write_json(output / "reference.json", inner)
    write_json(output / "ledger.json", _ledger(reading, counts))
    kinds = {name: feature.kind for name, feature in sorted(features.items())}
    with pulse(rows.get_backend().con, context, reading.rows, "rows"):
        found = suspicions(rows, kinds, target, tuple(data.get("key") or ()), counts)
    rows.get_backend().disconnect()
    for suspicion in found:
        context.say(f"warning: {suspicion.text}")
    write_json(output / "warnings.json", {"warnings": [suspicion.plain() for suspicion in found]})
    told = {
        "data": {
            "manifest": hashlib.sha256((inputs["ingest"] / "manifest.json").read_bytes()).hexdigest(),
            "rows": reading.rows,
            "rejected": reading.rejected,
        },
        "split": {**data["split"], "seed": parameters["seed"], "rows": dict(counts)},
    }
    write_json(output / FILE, made_by(parameters, context.workspace) | told)


def _needed(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that are brought here from a database."""
    split: Split = Slot("split").choose(freeze(parameters["data"]["split"]))  # type: ignore[assignment]
    slices = parameters.get("evaluation", {}).get("slices", ())
    segments = parameters.get("monitoring", {}).get("segments", ())
    return needed(parameters["data"], split.reads(), (*slices, *segments))


def _files(
    reading: Reading,
    data: Mapping[str, Any],
    manifest: Mapping[str, Any],
    rows: ibis.Table,
    shape: ModelInputs,
    output: Path,
    context: Context,
) -> EncodedFiles | None:
    """Return the files whose rows are encoded one by one; None where they are not known apart."""
    source = Slot("source").choose(freeze(data["source"]))
    if reading.extents is None or not isinstance(source, FileSource):
        return None
    query = "SELECT mlspec_row, mlspec_split FROM mlspec_assigned"
    return EncodedFiles.of(
        contents_of(source, manifest, context),
        reading.extents,
        rows.get_backend().con.execute(query).to_arrow_reader(WIDE),
        made_of(source, data, manifest, output, context),
        shape,
        context.before(),
    )


def _ledger(reading: Reading, counts: Mapping[str, int]) -> dict[str, Any]:
    rejected = {"rows": reading.rejected, "reasons": [item.plain() for item in reading.rejects]}
    return {"read": reading.rows, "rejected": rejected} | dict(counts)


@dataclass(frozen=True)
class _Work:
    """Rows, and all that encodes them."""

    rows: ibis.Table
    columns: tuple[InputColumn, ...]
    shape: ModelInputs
    target: FittedTarget
    weight: str | None
    session: Session
    context: Context
    files: EncodedFiles | None
    """Where rows come from several files here."""

    @property
    def batch(self) -> int:
        """Return how many rows are encoded at once."""
        memory = self.context.memory
        return WIDE if memory is None else Budget(memory).batch(len(self.columns))

    def batches(self, split: str, names: Sequence[str], condition: str = "true") -> Iterator[pa.RecordBatch]:
        """Yield a split's rows in their order."""
        chosen = ", ".join(quote(name) for name in names)
        query = f"SELECT {chosen} FROM mlspec_assigned WHERE mlspec_split = {literal(split)} AND {condition}"
        yield from self.rows.get_backend().con.execute(query).to_arrow_reader(self.batch)

    def encode(self, split: str, count: int, folder: Path) -> None:
        """Write a split's shards."""
        names = [item.name for item in self.columns]
        carried = [*names, self.target.column, *([self.weight] if self.weight else [])]
        done = 0
        runs = self.files.runs(split) if self.files else (Run(None, "true"),)
        with ShardWriter(folder, count, self.shape, weight=self.weight is not None) as shards:
            for run in runs:
                for piece in run.pieces(self.batch):
                    shards.write(**piece.arrays())
                    done += piece.rows
                    self.context.progress(done, count, "rows")
                if run.kept is not None:
                    continue
                for batch in self.batches(split, list(dict.fromkeys(carried)), run.condition):
                    encoded = self.session.run(batch.select(names))
                    weight = batch.column(self.weight).to_numpy(zero_copy_only=False) if self.weight else None
                    shards.write(
                        encoded[NUMBERS],
                        encoded[CODES],
                        self._coded(batch.column(self.target.column), split),
                        weight,
                    )
                    done += batch.num_rows
                    self.context.progress(done, count, "rows")

    def _coded(self, column: pa.Array, split: str) -> NDArray[np.float64]:
        if self.target.kind == "number":
            return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
        codes = pc.index_in(column, value_set=pa.array(self.target.classes, column.type))
        if codes.null_count:
            value = column.filter(pc.is_null(codes))[0].as_py()
            raise StepError(
                f"the class '{value}' of '{self.target.column}' is in {split} and in no training row",
                where="data.split",
                fix="stratify the split, or leave that class out",
            )
        return np.asarray(codes.to_numpy(zero_copy_only=False), np.float64)

    def keep_keys(self, key: Sequence[str], file: Path) -> None:
        """Write what the training split's rows are called, in their order: places in the source, and keys."""
        with RowFile(file) as rows:
            for batch in self.batches("train", ["mlspec_row", *key]):
                rows.write(batch)

    def keep_test(self, count: int, file: Path) -> None:
        """Write the test split's raw rows with all columns."""
        names = [name for name in self.rows.columns if not name.startswith("mlspec_")]
        done = 0
        with RowFile(file, {"mlspec.weight": self.weight} if self.weight else None) as rows:
            for batch in self.batches("test", names):
                self._check_classes(batch)
                rows.write(batch)
                done += batch.num_rows
                self.context.progress(done, count, "rows")

    def _check_classes(self, batch: pa.RecordBatch) -> None:
        self._coded(batch.column(self.target.column), "test")

    def keep_parity(self, count: int, hostile: pa.RecordBatch, output: Path) -> None:
        """Write held-out and hostile rows, raw and encoded; both from the same file."""
        names = [item.name for item in self.columns]
        file = output / "rows" / "parity.parquet"
        kept = min(count, HELD_OUT)
        with RowFile(file, {"mlspec.held_out": str(kept)}) as rows:
            seen = 0
            for batch in self.batches("test", names):
                at = np.arange(seen, seen + batch.num_rows, dtype=np.int64)
                rows.write(batch.filter(pa.array((at * kept) % count < kept)))
                seen += batch.num_rows
                self.context.progress(seen, count, "rows")
            rows.write(hostile.select(names))
        stored = parquet.ParquetFile(file)
        with ShardWriter(
            output / "shards" / "parity", stored.metadata.num_rows, self.shape, target=False
        ) as shards:
            for batch in stored_rows(stored, self.batch):
                encoded = self.session.run(batch)
                shards.write(encoded[NUMBERS], encoded[CODES])
