"""Split the rows, fit the feature graph on the training split, and encode everything through it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import onnx

from mlspec.engine.ask import here
from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.files import read_json, write_json
from mlspec.engine.graph.features import fit_features, read_features, write_features
from mlspec.engine.graph.hostile import hostile_rows
from mlspec.engine.graph.session import Session
from mlspec.engine.preparing.assigned import assigned
from mlspec.engine.preparing.fit_target import fit_target
from mlspec.engine.preparing.look_at_files import look_at_files
from mlspec.engine.preparing.moved import moved, needed
from mlspec.engine.preparing.reference import reference
from mlspec.engine.preparing.server_sums import server_sums
from mlspec.engine.preparing.sums import write_sums
from mlspec.engine.preparing.suspicion import Suspicion
from mlspec.engine.preparing.suspicions import suspicions
from mlspec.engine.preparing.work import Work
from mlspec.engine.provenance import FILE, made_by
from mlspec.engine.pulse import pulse
from mlspec.engine.pushdown.open_reading import open_reading
from mlspec.engine.reading.reading import Reading
from mlspec.sdk.context import Context
from mlspec.sdk.contract import FittedTarget, InputColumn
from mlspec.sdk.feature import Feature
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.split import Split

KNOWN = 20
"""Values of a category that hostile rows are made of."""
UNLOOKED = (
    "the training rows stay in the database: features that give the target away, and ids, are not looked for"
)


def prepare(
    parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context
) -> None:
    """Write the feature graph, the target's coding, encoded shards (or sums), held-out rows, the reference,
    the ledger and warnings.

    Args:
        parameters: `seed` and `data`; `training_rows: sums` where the training rows stay in a database that
            computes, and sums over them are all that training needs.
        inputs: `ingest`, for the columns' types.
        output: An empty folder.
        context: Where the step works.

    Raises:
        StepError: the data does not suit the spec, or a split is empty.
    """
    data = parameters["data"]
    manifest = read_json(inputs["ingest"] / "manifest.json")
    reading = open_reading(data, inputs["ingest"], manifest, context)
    with reading.asking():
        _write(reading, manifest, parameters, inputs, output, context)


def _write(
    reading: Reading,
    manifest: Mapping[str, Any],
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Path],
    output: Path,
    context: Context,
) -> None:
    """Write what `prepare` does, from an open reading."""
    data = parameters["data"]
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
    stay = not here(rows) and parameters.get("training_rows") == "sums"
    kinds = {name: feature.kind for name, feature in sorted(features.items())}
    nulls = {column.name: column.nulls for column in fitted}
    keys, every = tuple(data.get("key") or ()), sum(counts.values())
    if stay:
        with pulse(rows.get_backend().con, context, reading.rows, "rows"):
            graph = onnx.load(output / "features.onnx")
            sums = server_sums(train, graph, columns, shape, target, data.get("weight"))
        write_sums(output / "sums", sums)
        profile, found = _look(rows, nulls, kinds, target, keys, counts, context)
        rows = rows.filter(rows.mlspec_split != "train")
    if not here(rows):
        rows = moved(rows, _needed(parameters), every - (counts["train"] if stay else 0), context)
        reading.close()
    if not stay:
        profile, found = _look(rows, nulls, kinds, target, keys, counts, context)
    work = Work(
        rows,
        columns,
        shape,
        target,
        data.get("weight"),
        Session(output / "features.onnx", columns, (NUMBERS, CODES)),
        context,
        look_at_files(reading, data, manifest, rows, shape, output, context),
    )
    left = {split: count for split, count in counts.items() if not stay or split != "train"}
    work.write(left, hostile_rows(columns, _known(profile, columns)), output)
    if work.files is not None:
        work.files.write(output)
        work.files.tell(context)
    if not stay:
        work.keep_keys(keys, output / "rows" / "train.parquet")
    write_json(output / "reference.json", profile)
    write_json(output / "ledger.json", _ledger(reading, counts))
    rows.get_backend().disconnect()
    for suspicion in found:
        context.say(f"warning: {suspicion.text}")
    warned: dict[str, Any] = {"warnings": [suspicion.plain() for suspicion in found]}
    if stay:
        context.say(UNLOOKED)
        warned["not_looked_for"] = UNLOOKED
    write_json(output / "warnings.json", warned)
    told = {
        "data": {
            "manifest": hashlib.sha256((inputs["ingest"] / "manifest.json").read_bytes()).hexdigest(),
            "rows": reading.rows,
            "rejected": reading.rejected,
        },
        "split": {**data["split"], "seed": parameters["seed"], "rows": dict(counts)},
    }
    write_json(output / FILE, made_by(parameters, context.workspace) | told)


def _known(profile: Mapping[str, Any], columns: Sequence[InputColumn]) -> dict[str, list[str]]:
    """Return the frequent values of the columns of texts, as the reference counts them."""
    texts = [item.name for item in columns if item.tensor == "string"]
    return {name: [*profile["columns"][name]["counts"]][:KNOWN] for name in texts}


def _needed(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that are brought here from a database."""
    split: Split = Slot("split").choose(freeze(parameters["data"]["split"]))  # type: ignore[assignment]
    slices = parameters.get("evaluation", {}).get("slices", ())
    segments = parameters.get("monitoring", {}).get("segments", ())
    return needed(parameters["data"], split.reads(), (*slices, *segments))


def _look(
    rows: ibis.Table,
    nulls: Mapping[str, int],
    kinds: Mapping[str, str],
    target: FittedTarget,
    keys: Sequence[str],
    counts: Mapping[str, int],
    context: Context,
) -> tuple[dict[str, Any], tuple[Suspicion, ...]]:
    """Return the reference of the training rows, and what is suspicious of all rows, wherever they lie."""
    train = rows.filter(rows.mlspec_split == "train").select("mlspec_row", *nulls)
    with pulse(rows.get_backend().con, context, counts["train"], "rows"):
        profile = reference(train, nulls)
    with pulse(rows.get_backend().con, context, sum(counts.values()), "rows"):
        return profile, suspicions(rows, kinds, target, keys, counts)


def _ledger(reading: Reading, counts: Mapping[str, int]) -> dict[str, Any]:
    rejected = {"rows": reading.rejected, "reasons": [item.plain() for item in reading.rejects]}
    return {"read": reading.rows, "rejected": rejected} | dict(counts)
