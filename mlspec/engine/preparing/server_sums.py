"""Sums over training rows that stay in a database: one query for bounds, and one for the sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import onnx
from numpy.typing import NDArray

from mlspec.engine.preparing.exact_sums import ExactSums
from mlspec.engine.querying.dialect import number
from mlspec.engine.querying.encoded import ENCODED, encoded
from mlspec.engine.sql import quote
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget, InputColumn, ModelInputs
from mlspec.sdk.sums import WIDEST, Sums

DIGITS = 31
"""Binary digits to which a value is counted: products of two fit into 64 bits."""
NUMBERS = 300
"""Most numbers: each is multiplied by each, in every row."""
COLUMNS = 100
"""Most columns of codes: the pairs of each two are counted."""
_AT_ONCE = 1_000
"""Sums of one SELECT over all rows."""
_HEAVIEST = float(np.finfo(np.float32).max)
_LIGHTEST = 2.0**-150
"""Weights up to it are 0 as float32, in which rows here have them."""
TARGET, WEIGHT = "mlspec_target", "mlspec_weight"


def server_sums(
    train: ibis.Table,
    features: onnx.ModelProto,
    inputs: tuple[InputColumn, ...],
    shape: ModelInputs,
    target: FittedTarget,
    weight: str | None,
) -> Sums:
    """Return the sums that least squares needs; only they leave the server.

    Every value is moved to the middle of its column and counted in whole steps, so sums are exact and the
    same in whatever order the server sees the rows. Means are taken out of them here.

    Args:
        train: The training rows, in the server.
        features: The feature graph.
        inputs: Its columns.
        shape: What it gives.
        target: A number.
        weight: The column of weights.

    Raises:
        StepError: there is no weight, or more columns than can be solved for.
    """
    _check(shape)
    backend: Any = train.get_backend()
    carried = {TARGET: f"{quote(target.column)}::float8"}
    carried |= {WEIGHT: f"{quote(weight)}::float8"} if weight else {}

    def query(source: str, rest: str) -> str:
        return f"{encoded(features, inputs, source, carried)}{rest}"

    asked = _bounds(shape.numbers, weight is not None)
    ((rows, *told),) = backend.ask(train, lambda source: query(source, asked))
    grid = _grid(told, shape.numbers, target, weight is not None)
    sums = ExactSums.empty(shape)
    rest = f", {grid.rows(shape)} {_joined(_parts(shape))}"
    for batch in backend.ask_batches(train, lambda source: query(source, rest)):
        sums.take(batch)
    return sums.floats(rows, grid.units, grid.middles)


def _check(shape: ModelInputs) -> None:
    """Refuse what would take a server for hours, or is more than can be solved here."""
    width = shape.numbers + sum(shape.sizes)
    for what, found, most, fix in (
        ("numbers and codes", width, WIDEST, "lower max_size of the categories"),
        ("numbers", shape.numbers, NUMBERS, "take fewer features"),
        ("columns of codes", len(shape.sizes), COLUMNS, "take fewer categories"),
    ):
        if found > most:
            raise StepError(
                f"normal equations of {found} {what} are too many for sums in the database",
                where="model.solver",
                fix=f"{fix} until there are {most}, or set data.source.compute: here",
            )


def _bounds(numbers: int, weighted: bool) -> str:
    """Return the question for how many rows there are, and between what their values lie."""
    columns = [TARGET, *([WEIGHT] if weighted else []), *(f"number_{place}" for place in range(numbers))]
    ends = ", ".join(f"min({name}), max({name})" for name in columns)
    return f" SELECT count(*), {ends} FROM {ENCODED}"


@dataclass(frozen=True)
class _Grid:
    """In what steps values are counted, from where: the target first, and then the numbers."""

    middles: NDArray[np.float64]
    steps: NDArray[np.float64]
    """Powers of two."""
    units: NDArray[np.float64]
    """What a step is worth: of the one, of the standardised target, of each number."""
    root: float | None
    """The root of the greatest weight; None where all rows weigh the same."""

    def rows(self, shape: ModelInputs) -> str:
        """Return the steps of a query in which a row's values are whole numbers, `mlspec_whole` at last."""
        codes = [f"code_{place}" for place in range(len(shape.sizes))]
        names = [TARGET, *(f"number_{place}" for place in range(shape.numbers))]
        share = "1"
        if self.root is not None:
            # As `real` of `engine.querying.render`, and a root: what a row weighs is multiplied in twice.
            single = f"CASE WHEN {WEIGHT} <= {number(_LIGHTEST)} THEN 0 ELSE {WEIGHT}::real END"
            share = f"sqrt(({single})::float8) / {number(self.root)}"
        moved = [
            f"{name} - {number(middle)} AS v{place}"
            for place, (name, middle) in enumerate(zip(names, self.middles.tolist(), strict=True))
        ]
        whole = [
            f"(CASE WHEN abs(v{place}) < {number(step / 4)} THEN 0 ELSE "
            f"round({'share * ' if self.root is not None else ''}v{place} / {number(step)}) END)::bigint "
            f"AS {'y' if not place else f'x{place}'}"
            for place, step in enumerate(self.steps.tolist())
        ]
        one = "1::bigint" if self.root is None else f"round(share * {number(2.0**DIGITS)})::bigint"
        return (
            f"mlspec_moved AS (SELECT {', '.join([f'{share} AS share', *moved, *codes])} FROM {ENCODED} "
            f"OFFSET 0), mlspec_whole AS MATERIALIZED (SELECT {', '.join([f'{one} AS x0', *whole, *codes])} "
            "FROM mlspec_moved)"
        )


def _grid(told: list[Any], numbers: int, target: FittedTarget, weighted: bool) -> _Grid:
    lows, highs = told[::2], told[1::2]
    root = None
    if weighted:
        heaviest = float(highs[1])
        if heaviest > _HEAVIEST:
            raise StepError(
                "a row's weight is negative or not finite", where="data.weight", fix="mend the column"
            )
        if heaviest <= _LIGHTEST:
            raise StepError("every row's weight is zero", where="data.weight", fix="mend the column")
        root = math.sqrt(float(np.float32(heaviest)))
        del lows[1], highs[1]
    # The mean of the target is known; the numbers of a graph have most often a mean of 0 and no far middle.
    middles = np.array(
        [target.mean, *(low / 2 + high / 2 for low, high in zip(lows[1:], highs[1:], strict=True))]
    )
    far = [
        max(high - middle, middle - low)
        for low, high, middle in zip(lows, highs, middles.tolist(), strict=True)
    ]
    steps = np.array(
        [math.ldexp(1.0, max(math.frexp(one)[1] - DIGITS, -1022)) if one else 1.0 for one in far]
    )
    worth = 1.0 if root is None else root
    one = 1.0 if root is None else root / 2.0**DIGITS
    units = np.array([one, worth * steps[0] / (target.std or 1.0), *(worth * steps[1:])])
    return _Grid(middles, steps, units, root)


def _parts(shape: ModelInputs) -> list[str]:
    """Return the SELECTs: sums over all rows, over those of each code, and of each pair of codes."""
    words = [f"x{place}" for place in range(shape.numbers + 1)]
    products = [f"{word} * y" for word in words]
    products += [f"{one} * {other}" for at, one in enumerate(words) for other in words[at:]]
    parts = [
        f"SELECT -1 AS one, {at} AS other, 0 AS code, 0 AS beside, 0::bigint AS n, "
        f"{_list(products[at : at + _AT_ONCE])} AS sums, 0::float8 AS cell FROM mlspec_whole"
        for at in range(0, len(products), _AT_ONCE)
    ]
    each = _list(["x0 * y", *(f"x0 * {word}" for word in words)])
    count = len(shape.sizes)
    parts += [
        f"SELECT {at}, -1, code_{at}, 0, count(*), {each}, 0 FROM mlspec_whole GROUP BY code_{at}"
        for at in range(count)
    ]
    parts += [
        f"SELECT {one}, {other}, code_{one}, code_{other}, 0, '', sum(x0 * x0)::float8 FROM mlspec_whole "
        f"GROUP BY code_{one}, code_{other}"
        for one in range(count)
        for other in range(one + 1, count)
    ]
    return parts


def _list(products: list[str]) -> str:
    """Return exact sums as one text."""
    return f"array_to_string(ARRAY[{', '.join(f'sum({product})' for product in products)}], ' ')"


def _joined(parts: list[str]) -> str:
    """Return SELECTs as one, none of them deep inside of others."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle])}) UNION ALL ({_joined(parts[middle:])})"
