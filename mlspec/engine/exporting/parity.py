"""Whether an exported file answers as training does, and a row alone as in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.door import to_tensors
from mlspec.engine.exporting.blame import REACH, Blame, blame
from mlspec.engine.exporting.replay import Replay
from mlspec.engine.exporting.tail import tail
from mlspec.engine.graph.session import Session
from mlspec.sdk.contract import Contract, ModelInputs

ALONE = 256
"""Rows that are also scored one by one."""


@dataclass(frozen=True)
class Tolerance:
    """How far two answers may lie apart: `atol + rtol * |expected|`.

    For a number target both are in standard deviations of the target. A row whose numbers lie further out
    than `REACH` standard deviations is allowed proportionally more: float32 keeps seven digits, not more.
    """

    atol: float
    rtol: float


def parity(
    content: bytes, contract: Contract, shape: ModelInputs, replay: Replay, tolerance: Tolerance
) -> dict[str, Any]:
    """Return the report of a file held against training and against itself.

    `passed` says whether all holds, and `text` what does not, with the worst row and the column behind it.

    Args:
        content: The exported file.
        contract: Its contract.
        shape: Names of encoded columns.
        replay: Rows with known answers.
        tolerance: How far answers may lie apart.
    """
    session = Session(content, contract.inputs, [output.name for output in contract.outputs])
    answers = session.run(replay.rows)
    report = report_of(replay, tolerance)
    report |= against_training(answers, contract, replay, tolerance)
    report |= _against_itself(content, contract, session, replay, answers)
    row = report["worst"]["row"] if "worst" in report else 0
    cause = blame(content, contract, shape, replay, row)
    report |= blamed_report(report, cause, replay, "the exported file")
    if report["passed"] and report["itself"]["largest"] > tolerance.atol:
        text = f"a row alone and the same row in a batch differ by {report['itself']['largest']:.3g}"
        report |= {"passed": False, "text": text}
    return report


def report_of(replay: Replay, tolerance: Tolerance) -> dict[str, Any]:
    """Return the beginning of a report: what is compared, and how strictly."""
    return {
        "atol": tolerance.atol,
        "rtol": tolerance.rtol,
        "hostile_rows": int(replay.hostile.sum()),
        "rows": replay.rows.num_rows,
        "passed": True,
    }


def blamed_report(report: Mapping[str, Any], cause: Blame, replay: Replay, what: str) -> dict[str, Any]:
    """Return what a report says of the column behind its worst row, or behind unlike encodings; nothing where
    all is well.

    Args:
        report: With `worst`, where an answer lies too far.
        cause: The column.
        replay: The rows.
        what: What was held against training, such as `the query`.
    """
    if "worst" in report:
        worst = report["worst"] | {
            "values": _shown(replay.rows, report["worst"]["row"]),
            "column": cause.column,
        }
        return {"worst": worst, "passed": False, "text": _sentence(worst, report["rows_off"], what)}
    if cause.encoded:
        text = f"{what} and training encode the column '{cause.column}' differently"
        return {"passed": False, "text": text}
    return {}


def against_training(
    answers: Mapping[str, NDArray[Any]], contract: Contract, replay: Replay, tolerance: Tolerance
) -> dict[str, Any]:
    """Return how far answers lie from training's, and the `worst` row where one lies too far."""
    found, expected, scale = _comparable(answers, contract, replay)
    reach = np.abs(replay.encoded.numbers).max(axis=1, initial=0.0).astype(np.float64) / REACH
    allowed = (tolerance.atol + tolerance.rtol * np.abs(expected)) * np.maximum(reach, 1.0)[:, None]
    with np.errstate(invalid="ignore"):
        apart = np.abs(found - expected)
    # NaN on both sides is no agreement: a model that answers NaN is not fit to leave
    off = ~(apart <= allowed)
    report: dict[str, Any] = {
        "largest": float(np.nanmax(np.where(replay.hostile[:, None], 0.0, apart), initial=0.0))
    }
    if "label" in answers:
        wrong, compared = _labels(answers["label"], expected, allowed, contract)
        off |= wrong[:, None]
        report["labels_compared"] = compared
    if off.any():
        ratio = np.where(np.isnan(apart), np.inf, apart / np.maximum(allowed, 1e-300)) * off
        row, place = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
        report["rows_off"] = int(off.any(axis=1).sum())
        report["worst"] = {
            "row": int(row),
            "hostile": bool(replay.hostile[row]),
            "expected": repr(float(_unscaled(expected[row, place], contract))),
            "found": repr(float(_unscaled(found[row, place], contract))),
            "allowed": float(allowed[row, place] * scale),
            "label": str(answers["label"][row]) if "label" in answers else None,
        }
    return report


def _comparable(
    answers: Mapping[str, NDArray[Any]], contract: Contract, replay: Replay
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return found and expected answers as `[rows, columns]` on a scale where 1 is much, and that scale."""
    expected = tail(replay.scores, contract.target)
    if contract.target.kind != "number":
        return answers["probabilities"].astype(np.float64), expected, 1.0
    mean, std = contract.target.mean, contract.target.std
    return ((answers["value"] - mean) / std)[:, None], ((expected - mean) / std)[:, None], std


def _unscaled(value: float, contract: Contract) -> float:
    target = contract.target
    return value * target.std + target.mean if target.kind == "number" else value


def _labels(
    labels: NDArray[Any], expected: NDArray[np.float64], allowed: NDArray[np.float64], contract: Contract
) -> tuple[NDArray[np.bool_], int]:
    """Return where a label is wrong though its answer is clear of the edge, and how many could be held."""
    slack = allowed.max(axis=1, initial=0.0)
    if contract.threshold is not None:
        margin = np.abs(expected[:, -1] - contract.threshold)
        codes = (expected[:, -1] >= contract.threshold).astype(np.int64)
    else:
        ordered = np.sort(expected, axis=1)
        margin = (ordered[:, -1] - ordered[:, -2]) / 2
        codes = expected.argmax(axis=1)
    clear = margin > slack
    wanted = np.array(contract.target.classes, dtype=object)[codes]
    return clear & (labels != wanted), int(clear.sum())


def _against_itself(
    content: bytes, contract: Contract, session: Session, replay: Replay, answers: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """Hold rows alone against the batch, and the whole file against the cut one that scores."""
    first = np.flatnonzero(~replay.hostile)[: ALONE // 2]
    chosen = np.concatenate([first, np.flatnonzero(replay.hostile)[: ALONE - len(first)]])
    alone = [session.run(replay.rows.slice(int(row), 1)) for row in chosen]
    singles = {name: np.concatenate([one[name] for one in alone]) for name in answers} if alone else {}
    whole = dict(zip(answers, _plain(content, list(answers), contract, replay.rows), strict=True))
    pairs = [(singles[name], answers[name][chosen]) for name in singles]
    pairs += [(whole[name], answers[name]) for name in answers]
    equal = all(_same_bits(left, right) for left, right in pairs)
    largest = 0.0 if equal else max(_apart(left, right) for left, right in pairs)
    return {
        "itself": {
            "rows_alone": len(chosen),
            "rows_whole": len(replay.scores),
            "bit_equal": equal,
            "largest": largest,
        }
    }


def _plain(content: bytes, names: list[str], contract: Contract, rows: pa.RecordBatch) -> list[NDArray[Any]]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    answers: list[NDArray[Any]] = session.run(names, to_tensors(rows, contract.inputs))
    return answers


def _same_bits(left: NDArray[Any], right: NDArray[Any]) -> bool:
    if left.dtype == object:
        return bool((left == right).all())
    return left.dtype == right.dtype and left.tobytes() == np.ascontiguousarray(right).tobytes()


def _apart(left: NDArray[Any], right: NDArray[Any]) -> float:
    if left.dtype == object:
        return float((left != right).any())
    with np.errstate(invalid="ignore"):
        apart = np.abs(left.astype(np.float64) - right)
    return float(
        np.where(np.isnan(apart) & ~(np.isnan(left) & np.isnan(right)), 1e308, apart).max(initial=0.0)
    )


def _shown(rows: pa.RecordBatch, row: int) -> dict[str, str]:
    """Return a row's values, short enough to be told."""
    return {name: repr(rows.column(name)[row].as_py())[:80] for name in rows.schema.names}


def _sentence(worst: Mapping[str, Any], off: int, what: str) -> str:
    """Return what is wrong in a reader's words."""
    kind = "made-up" if worst["hostile"] else "held-out"
    value = worst["values"].get(worst["column"])
    cause = f"; it comes from the column '{worst['column']}' ({value} there)" if worst["column"] else ""
    return (
        f"{what} answers {worst['found']} where training answers {worst['expected']} "
        f"({kind} row {worst['row']}, {off} rows off){cause}"
    )
