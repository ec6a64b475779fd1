"""The column that makes an exported file differ from training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from mlspec.engine.builder import CODES, NUMBERS, SCORES
from mlspec.engine.door import to_tensors
from mlspec.engine.exporting.replay import Replay
from mlspec.sdk.contract import Contract, ModelInputs

REACH = 10.0
"""Distance (standard deviations) up to which a row's numbers are ordinary."""
TELLING = 0.2
"""Share of the differences (of their variance, fraction 0-1) that a column must go with to be named."""


@dataclass(frozen=True)
class Blame:
    """Where a difference comes from."""

    column: str | None
    """The input column; None where no single one can be named."""
    encoded: bool
    """Whether the encoded rows differ already, before the network."""


def blame(content: bytes, contract: Contract, shape: ModelInputs, replay: Replay, worst: int) -> Blame:
    """Return the input column that a difference comes from.

    Encoded rows are compared first: they must be equal bit for bit, so a column that is not is the one. Where
    they are, the network differs, and the column is named with which the raw scores' differences go most.

    Args:
        content: The exported file.
        contract: Its contract.
        shape: Names of encoded columns.
        replay: Rows, and what training made of them.
        worst: The row that is furthest off; a column that is wrong there goes before others.
    """
    numbers, codes, scores = _inner(content, contract, replay)
    apart = scores - replay.scores.astype(np.float64)
    return blamed(numbers, codes, apart, contract, shape, replay, worst)


def blamed(
    numbers: NDArray[np.float32],
    codes: NDArray[np.int64],
    apart: NDArray[np.float64],
    contract: Contract,
    shape: ModelInputs,
    replay: Replay,
    worst: int,
) -> Blame:
    """Return the same from what an artifact made of the rows.

    Args:
        numbers: `[rows, numbers]`.
        codes: `[rows, codes]`.
        apart: `[rows, answers]`, found minus expected.
        contract: Of the artifact.
        shape: Names of encoded columns.
        replay: Rows, and what training made of them.
        worst: The row that is furthest off.
    """
    names = [column.name for column in contract.inputs]
    unequal = np.concatenate(
        [
            (numbers != replay.encoded.numbers) & ~(np.isnan(numbers) & np.isnan(replay.encoded.numbers)),
            codes != replay.encoded.codes,
        ],
        axis=1,
    )
    encoded = (*shape.number_names, *shape.code_names)
    if unequal.any():
        counts = unequal.sum(axis=0) + unequal[worst] * len(unequal)
        return Blame(_column_of(encoded[int(counts.argmax())], names), encoded=True)
    telling = _telling(replay, apart)
    if not len(telling) or telling.max() < TELLING:
        return Blame(None, encoded=False)
    return Blame(_column_of(encoded[int(telling.argmax())], names), encoded=False)


def _inner(
    content: bytes, contract: Contract, replay: Replay
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Return the file's own encoded rows and raw scores."""
    model = onnx.ModelProto.FromString(content)
    for name, kind in ((NUMBERS, TensorProto.FLOAT), (CODES, TensorProto.INT64), (SCORES, TensorProto.FLOAT)):
        model.graph.output.append(helper.make_tensor_value_info(name, kind, [None, None]))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    numbers, codes, scores = session.run([NUMBERS, CODES, SCORES], to_tensors(replay.rows, contract.inputs))
    return numbers, codes, scores.astype(np.float64)


def _telling(replay: Replay, apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each encoded column, the share of the differences' variance that goes with it."""
    numbers = replay.encoded.numbers.astype(np.float64)
    # rows far out differ by the noise of float32 alone, so each row is brought within reach
    near = 1 / np.maximum(np.abs(numbers).max(axis=1, initial=0.0, keepdims=True) / REACH, 1.0)
    apart = np.nan_to_num(apart * near, nan=1e30, posinf=1e30, neginf=-1e30)
    apart = apart / max(float(np.abs(apart).max(initial=0.0)), 1e-300)
    whole = ((apart - apart.mean(axis=0)) ** 2).sum()
    if not whole > 0:
        return np.zeros(0)
    shares = []
    for column in (numbers * near).T:
        centred = column - column.mean()
        spread = (centred**2).sum()
        shares.append((((centred @ apart) ** 2).sum() / spread if spread > 0 else 0.0) / whole)
    for column in replay.encoded.codes.T:
        _, group = np.unique(column, return_inverse=True)
        sizes = np.bincount(group).astype(np.float64)
        means = np.stack([np.bincount(group, one) / sizes for one in (apart - apart.mean(axis=0)).T], axis=1)
        # each distinct value explains a little by chance, so as many are taken off as rows would give
        chance = (len(sizes) - 1) / max(len(group) - 1, 1)
        shares.append(((means**2) * sizes[:, None]).sum() / whole - chance)
    return np.array(shares)


def _column_of(encoded: str, names: list[str]) -> str | None:
    """Return the input column behind an encoded one's name, such as `age` behind `age is null`."""
    behind = [name for name in names if encoded == name or encoded.startswith(f"{name} ")]
    return max(behind, key=len) if behind else None
