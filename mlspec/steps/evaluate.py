"""The step `evaluate-<export>`: how good the exported file is on rows that training never saw."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mlspec.engine.files import write_json
from mlspec.engine.judging.answer_store import AnswerStore
from mlspec.engine.judging.curves import cells, curves
from mlspec.engine.judging.intervals import CONFIDENCE, intervals, resamples
from mlspec.engine.judging.measure import measure
from mlspec.engine.judging.slices import slices
from mlspec.engine.reading.row_file import stored_rows
from mlspec.engine.scoring.query_scorer import QueryScorer, scorer_of
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.watching.profile import profile
from mlspec.errors import StepError
from mlspec.sdk.budget import Budget
from mlspec.sdk.context import Context
from mlspec.sdk.contract import Contract
from mlspec.sdk.metric import Metric
from mlspec.spec.evaluation import Evaluation, default_metrics

BATCH = 65_536
"""Rows that are read at once."""


def evaluate(
    parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context
) -> None:
    """Score the test split with the exported file and write measures, their intervals, slices, curves and a
    profile.

    Args:
        parameters: `evaluation.metrics` and `evaluation.slices`.
        inputs: The export, and `prepare` for `rows/test.parquet`.
        output: An empty folder.
        context: Told of progress.

    Raises:
        StepError: a measure does not suit the target, or the rows do not suit the file.
    """
    (export,) = (folder for step, folder in inputs.items() if step.startswith("export-"))
    scorer = scorer_of(export)
    evaluation = Evaluation.revive(parameters["evaluation"])
    metrics = _metrics(evaluation, scorer.contract)
    context.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="answers-", dir=context.scratch) as folder:
        file = inputs["prepare"] / "rows" / "test.parquet"
        rows, store = _answered(scorer, file, evaluation.slices, Path(folder), context)
        _judge(rows, store, evaluation, metrics, output)


def _judge(
    rows: pa.Table,
    store: AnswerStore,
    evaluation: Evaluation,
    metrics: Sequence[Metric],
    output: Path,
) -> None:
    """Write all that is said about the answers."""
    found = store.judged()
    count = len(found.answers.truth)
    write_json(output / "metrics.json", measure(found.answers, metrics) | {"rows": count})
    told = {
        "confidence": CONFIDENCE,
        "metrics": intervals(found.answers, metrics),
        "resamples": resamples(count),
    }
    write_json(output / "intervals.json", told)
    write_json(output / "slices.json", slices(rows, evaluation.slices, found, metrics))
    write_json(output / "answers.json", profile(count, store.columns()))
    if found.answers.kind != "number":
        write_json(output / "confusion.json", cells(found))
    for name, points in curves(found).items():
        write_json(output / "plots" / f"{name}.json", points)


def _metrics(evaluation: Evaluation, contract: Contract) -> tuple[Metric, ...]:
    kind = contract.target.kind
    metrics = evaluation.metrics or default_metrics(kind)
    for metric in metrics:
        if kind not in metric.targets:
            suits = ", ".join(metric.targets)
            raise StepError(
                f"'{metric.kind}' measures a {suits} target, and '{contract.target.column}' is a {kind} one",
                where="evaluation.metrics",
                fix=f"take one of {', '.join(usual.kind for usual in default_metrics(kind))}",
            )
    return metrics


def _answered(
    scorer: Scorer | QueryScorer, file: Path, columns: Sequence[str], folder: Path, context: Context
) -> tuple[pa.Table, AnswerStore]:
    """Return the columns to slice by, and the answers beside the truth."""
    stored = parquet.ParquetFile(file)
    noted = (stored.schema_arrow.metadata or {}).get(b"mlspec.weight")
    weight = None if noted is None else noted.decode()
    target = scorer.contract.target.column
    wanted = dict.fromkeys([*(item.name for item in scorer.contract.inputs), target, *columns])
    if weight is not None:
        wanted[weight] = None
    known = [name for name in wanted if name in stored.schema_arrow.names]
    kept = [name for name in dict.fromkeys(columns) if name in known]
    total, done = stored.metadata.num_rows, 0
    store = AnswerStore(folder, scorer.contract, total, weighted=weight is not None)
    batch, threads = BATCH, None
    if context.memory is not None:
        budget = Budget(context.memory)
        batch, threads = min(BATCH, 4 * budget.batch(len(known))), budget.threads(os.cpu_count() or 1)
    parts = []
    for scored in scorer.score_many(stored_rows(stored, batch, known), threads):
        if scored.reasons:
            raise StepError(f"a row of the test split cannot be scored: {scored.reasons[0]}")
        rows = scored.rows
        store.add(scored.answers, rows.column(target), rows.column(weight) if weight else None)
        if kept:
            parts.append(_words(rows.select(kept)))
        done += rows.num_rows
        context.progress(done, total, "rows")
    empty = stored.schema_arrow.empty_table().select(kept)
    return pa.Table.from_batches(parts) if parts else empty, store


def _words(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows whose texts are places in a dictionary, which takes less memory."""
    columns = [
        column.dictionary_encode() if pa.types.is_string(column.type) else column for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=rows.schema.names)
