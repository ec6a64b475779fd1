"""Small joined files made by hand, for the tests of everything that reads them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from mlspec.engine.builder import CODES, NUMBERS, Builder
from mlspec.engine.exporting.join import Joined, Parts, join
from mlspec.sdk.contract import FittedTarget, InputColumn

INPUTS = (
    InputColumn(name="age", kind="number", tensor="float64", type="number"),
    InputColumn(name="income €", kind="number", tensor="float64", type="number"),
    InputColumn(name="town", kind="category", tensor="string", type="string"),
)
TOWNS = ("\ufdd0", "Bern", "Zürich", "")
MEANS, STDS = np.array([40.0, 1000.0]), np.array([10.0, 250.0])
WEIGHTS = np.array([[0.7, -0.4, 0.2], [0.1, 0.5, -0.3]], np.float32)
TABLE = np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)
TARGETS = {
    "binary": FittedTarget(column="y", kind="binary", classes=("no", ">yes"), counts=(5, 5)),
    "category": FittedTarget(column="y", kind="category", classes=("a", "b", "ç"), counts=(1, 2, 3)),
    "number": FittedTarget(column="y", kind="number", mean=1e6, std=12.5),
}


def features() -> onnx.ModelProto:
    """Two numbers, centred and scaled in double with null as 0, and one category."""
    builder = Builder("features")
    columns = []
    for name, mean, std in zip(("age", "income €"), MEANS, STDS, strict=True):
        raw = builder.input(name, "float64")
        zero = builder.node("Where", builder.node("IsNaN", raw), builder.constant(mean, np.float64), raw)
        scaled = builder.node(
            "Div",
            builder.node("Sub", zero, builder.constant(mean, np.float64)),
            builder.constant(std, np.float64),
        )
        (narrow,) = builder.nodes("Cast", scaled, outputs=1, to=TensorProto.FLOAT)
        columns.append(builder.node("Unsqueeze", narrow, builder.constant([1], np.int64)))
    builder.output(builder.node("Concat", *columns, axis=1), NUMBERS, "float32", ("rows", 2))
    codes = builder.node(
        "LabelEncoder", builder.input("town", "string"), domain="ai.onnx.ml",
        keys_strings=list(TOWNS), values_int64s=[1, 2, 3, 4], default_int64=0,
    )  # fmt: skip
    builder.output(
        builder.node("Unsqueeze", codes, builder.constant([1], np.int64)), CODES, "int64", ("rows", 1)
    )
    return builder.model()


def network(width: int):
    """A linear layer over numbers plus one row of a table for the category."""

    def append(builder: Builder) -> str:
        linear = builder.node("MatMul", NUMBERS, builder.constant(WEIGHTS[:, :width]))
        column = builder.node("Gather", CODES, builder.constant(0, np.int64), axis=1)
        return builder.node("Add", linear, builder.node("Gather", builder.constant(TABLE[:, :width]), column))

    return append


def joined(kind: str, threshold: float | None = 0.5) -> Joined:
    """One whole file for a kind of target."""
    target = TARGETS[kind]
    return join(Parts("tiny", features(), INPUTS, target, threshold), network(target.width))


def raw_rows(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Rows as the file takes them: with NaN, unseen towns and nulls."""
    generator = np.random.default_rng(seed)
    age, income = generator.normal(40, 10, rows), generator.normal(1000, 250, rows)
    age[::7] = np.nan
    town = generator.choice(np.array([*TOWNS, "Atlantis"], dtype=object), rows)
    return {"age": age, "income €": income, "town": town}


def scores_by_hand(rows: dict[str, np.ndarray], width: int) -> np.ndarray:
    """Raw scores in float64, written a second time without ONNX."""
    raw = np.stack([rows["age"], rows["income €"]], axis=1)
    numbers = np.where(np.isnan(raw), 0.0, (raw - MEANS) / STDS)
    codes = np.array([TOWNS.index(town) + 1 if town in TOWNS else 0 for town in rows["town"]], dtype=int)
    return numbers @ WEIGHTS[:, :width].astype(float) + TABLE[codes, :width]
