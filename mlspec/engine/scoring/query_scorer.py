"""Answers of an exported query, for any number of batches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from mlspec.engine.querying.ask import Ask, refused
from mlspec.engine.scoring.scorer import Scored, Scorer, answer_schema
from mlspec.errors import MissingError
from mlspec.sdk.contract import Contract


class QueryScorer:
    """Runs an exported query in DuckDB; the answers have the columns of `Scorer`.

    Args:
        export: Folder with the query, `query.json` and `contract.json`.

    Raises:
        MissingError: one of them is not there.
    """

    def __init__(self, export: Path) -> None:
        for name in ("query.json", "contract.json"):
            if not (export / name).is_file():
                raise MissingError(f"'{export}' has no '{name}'", fix="mlspec run")
        about = json.loads((export / "query.json").read_text(encoding="utf-8"))
        self.contract = Contract.revive(json.loads((export / "contract.json").read_text(encoding="utf-8")))
        self.schema = answer_schema(self.contract)
        text = (export / about["file"]).read_text(encoding="utf-8")
        self._ask = Ask(text, about["table"], about["keep"])
        self._inputs = [column.name for column in self.contract.inputs]

    def score_many(self, batches: Iterable[pa.RecordBatch], threads: int | None = None) -> Iterator[Scored]:
        """Yield rows with their answers, in order; rows that the query refuses are told.

        Args:
            batches: Rows with at least the input columns.
            threads: Not looked at: a query is answered by one thread.
        """
        for rows in batches:
            if not rows.num_rows:
                continue
            found = self._ask.run(rows.select(self._inputs))
            reasons = refused(found)
            good = np.array([reason is None for reason in reasons])
            answers = found.select(self.schema.names).cast(self.schema).combine_chunks().to_batches()[0]
            kept = pa.array(good)
            texts = tuple(reason for reason in reasons if reason is not None)
            yield Scored(rows.filter(kept), answers.filter(kept), rows.filter(pa.array(~good)), texts)


def scorer_of(export: Path) -> Scorer | QueryScorer:
    """Return what answers as an export does: its file in ONNX Runtime, or its query in DuckDB."""
    return QueryScorer(export) if (export / "query.json").is_file() else Scorer(export / "model.onnx")
