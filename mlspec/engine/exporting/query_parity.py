"""Whether a query answers as training does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.engine.exporting.blame import blamed
from mlspec.engine.exporting.parity import Tolerance, against_training, blamed_report, report_of
from mlspec.engine.exporting.replay import Replay
from mlspec.engine.exporting.tail import tail
from mlspec.engine.querying.ask import Ask, arrays, refused
from mlspec.engine.querying.query import Query
from mlspec.sdk.contract import Contract, ModelInputs


def query_parity(
    text: str, query: Query, contract: Contract, shape: ModelInputs, replay: Replay, tolerance: Tolerance
) -> dict[str, Any]:
    """Return the report of a query held against training, in DuckDB; see `parity`.

    Args:
        text: The query in DuckDB's words.
        query: What it was written from.
        contract: Its contract.
        shape: Names of encoded columns.
        replay: Rows with known answers.
        tolerance: How far answers may lie apart.
    """
    found = Ask(text, query.asked.table, query.asked.keep).run(replay.rows)
    report = report_of(replay, tolerance)
    reasons = [reason for reason in refused(found) if reason is not None]
    if reasons:
        return report | {
            "passed": False,
            "text": f"the query refuses a row that training takes: {reasons[0]}",
        }
    answers = arrays(found, contract)
    report |= against_training(answers, contract, replay, tolerance)
    inner = Ask(query.encoded_text("duckdb"), query.asked.table, None).run(replay.rows)
    numbers, codes = (
        _beside(inner, word, count) for word, count in (("number", shape.numbers), ("code", len(shape.sizes)))
    )
    expected = tail(replay.scores, contract.target).reshape(len(replay.scores), -1)
    told = answers["value" if contract.target.kind == "number" else "probabilities"]
    row = report["worst"]["row"] if "worst" in report else 0
    cause = blamed(
        numbers.astype(np.float32),
        codes.astype(np.int64),
        told.reshape(expected.shape).astype(np.float64) - expected,
        contract,
        shape,
        replay,
        row,
    )
    return report | blamed_report(report, cause, replay, "the query")


def _beside(found: pa.Table, word: str, count: int) -> NDArray[Any]:
    """Return columns side by side, `[rows, count] float64`."""
    columns = [found.column(f"{word} {place}").to_numpy().astype(np.float64) for place in range(count)]
    return np.stack(columns, axis=1) if columns else np.zeros((found.num_rows, 0))
