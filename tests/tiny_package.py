"""A small package made by hand, with a column of every type that a JSON row can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from mlspec.engine.builder import Builder
from mlspec.engine.exporting.tail import append_tail
from mlspec.engine.files import write_json
from mlspec.engine.graph.conformance import conformance
from mlspec.engine.graph.session import Session
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.serving.pack import pack
from mlspec.engine.serving.rows import to_batch
from mlspec.sdk.contract import Contract, FittedTarget, InputColumn

INPUTS = (
    InputColumn(name="age", kind="number", tensor="float64", type="number"),
    InputColumn(name="town", kind="category", tensor="string", type="string"),
    InputColumn(name="rooms", kind="category", tensor="string", type="integer"),
    InputColumn(name="smoker", kind="binary", tensor="string", type="boolean"),
    InputColumn(name="seen", kind="datetime", tensor="float64", type="datetime", timezone="Europe/Berlin"),
    InputColumn(name="born", kind="datetime", tensor="float64", type="datetime"),
)
TARGETS = {
    "binary": FittedTarget(column="y", kind="binary", classes=("no", ">yes"), counts=(5, 5)),
    "category": FittedTarget(column="y", kind="category", classes=("a", "b", "ç"), counts=(1, 2, 3)),
    "number": FittedTarget(column="y", kind="number", mean=10.0, std=2.0),
}
ROW: dict[str, Any] = {
    "age": 39.5, "town": "Zürich", "rooms": 3, "smoker": True,
    "seen": "2024-07-01T12:00:00+02:00", "born": "1990-01-31T00:00:00Z",
}  # fmt: skip
LOOKUPS: dict[str, dict[str, float]] = {
    "town": {"\ufdd0": 0.1, "Bern": 0.5, "Zürich": -0.5, "": 0.2},
    "rooms": {"\ufdd0": 0.0, "1": -0.3, "2": 0.1, "3": 0.4, "-7": 2.0},
    "smoker": {"\ufdd0": 0.0, "true": 1.0, "false": -1.0},
}


def write_export(folder: Path, kind: str = "binary") -> Contract:
    """Write `model.onnx`, `contract.json` and `conformance.json`; the score is a sum over the columns."""
    target = TARGETS[kind]
    builder = Builder("tiny")
    for column in INPUTS:
        builder.input(column.name, column.tensor)
    total = ""
    for name in ("age", "seen", "born"):
        (null,) = builder.nodes("IsNaN", name, outputs=1)
        known = builder.node("Where", null, builder.constant(0.0, np.float64), name)
        scale = builder.constant(50.0 if name == "age" else 1e13, np.float64)
        part = builder.node("Div", known, scale)
        total = builder.node("Add", total, part) if total else part
    for name, values in LOOKUPS.items():
        part = builder.node(
            "LabelEncoder", name, domain="ai.onnx.ml",
            keys_strings=list(values), values_floats=list(values.values()), default_float=9.0,
        )  # fmt: skip
        (wide,) = builder.nodes("Cast", part, outputs=1, to=TensorProto.DOUBLE)
        total = builder.node("Add", total, wide)
    (narrow,) = builder.nodes("Cast", total, outputs=1, to=TensorProto.FLOAT)
    score = builder.node("Unsqueeze", narrow, builder.constant([1], np.int64))
    if kind == "category":
        score = builder.node("Mul", score, builder.constant(np.array([[1.0, -0.5, 0.25]], np.float32)))
    outputs = append_tail(builder, score, target, 0.5)
    threshold = 0.5 if kind == "binary" else None
    contract = Contract(
        name="tiny", target=target, threshold=threshold, inputs=INPUTS, outputs=outputs, model_version="v1"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(builder.model().SerializeToString(deterministic=True))
    write_json(folder / "contract.json", contract.model_dump(mode="json"))
    session = Session(folder / "model.onnx", contract.inputs)
    shown = to_batch([ROW, *rows(40)], contract)
    write_json(folder / "conformance.json", conformance(contract, session, shown))
    return contract


def references(folder: Path) -> dict[str, Path]:
    """Write the reference of 5,000 rows such as `rows` makes, and that of their answers."""
    made = rows(5000, seed=1)
    ages = np.array([np.nan if row["age"] is None else row["age"] for row in made], np.float64)
    grid = np.quantile(ages[~np.isnan(ages)], np.arange(1001) / 1000)
    columns: dict[str, Any] = {
        "age": {"kind": "number", "quantiles": grid.tolist(), "nulls": int(np.isnan(ages).sum())},
        "seen": {"kind": "number", "quantiles": [0.0] * 1001, "nulls": 0},
    }
    for name in ("town", "rooms", "smoker"):
        words = [row[name] if isinstance(row[name], str) else str(row[name]).lower() for row in made]
        counts = {word: words.count(word) for word in sorted(set(words))}
        columns[name] = {"kind": "category", "counts": counts, "other": 0, "nulls": 0}
    write_json(folder / "reference.json", {"rows": 5000, "columns": columns})
    scorer = Scorer(folder / "export" / "model.onnx")
    answers = scorer.score(to_batch(made, scorer.contract))
    told: dict[str, Any] = {}
    for name, column in zip(answers.schema.names, answers.columns, strict=True):
        if name == "label":
            words = column.to_pylist()
            counts = {word: words.count(word) for word in sorted(set(words))}
            told[name] = {"kind": "category", "counts": counts, "other": 0, "nulls": 0}
        else:
            values = column.to_numpy().astype(np.float64)
            told[name] = {
                "kind": "number",
                "quantiles": np.quantile(values, np.arange(1001) / 1000).tolist(),
                "nulls": 0,
            }
    write_json(folder / "answers.json", {"rows": 5000, "columns": told})
    return {"inputs": folder / "reference.json", "answers": folder / "answers.json"}


def rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return JSON rows, one age in ten unknown."""
    rng = np.random.default_rng(seed)
    towns = rng.choice(["Bern", "Zürich", ""], size=count, p=[0.5, 0.3, 0.2])
    ages, rooms, smokers = rng.normal(40, 10, count), rng.integers(1, 4, count), rng.uniform(size=count) < 0.3
    return [
        {**ROW, "age": None if i % 10 == 0 else float(ages[i]), "town": str(towns[i]), "rooms": int(rooms[i]),
         "smoker": bool(smokers[i])}
        for i in range(count)
    ]  # fmt: skip


def write_package(folder: Path, kind: str = "binary", **options: int | str) -> Path:
    """Write a whole package and return its folder."""
    write_export(folder / "export", kind)
    package = folder / "package"
    settings = {
        "name": "tiny",
        "deployment": "online",
        "kind": "rest",
        "max_body": 2**20,
        "max_rows": 1000,
        **options,
    }
    pack(folder / "export", settings, references(folder), package)
    return package
