"""The step `evaluate-<export>`: how good the exported file is on rows that training never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mlspec.engine.files import write_json
from mlspec.engine.judging.curves import cells, curves
from mlspec.engine.judging.intervals import CONFIDENCE, intervals, resamples
from mlspec.engine.judging.judged import Judged, judged
from mlspec.engine.judging.measure import measure
from mlspec.engine.judging.slices import slices
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.watching.profile import profile
from mlspec.errors import StepError
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
    scorer = Scorer(export / "model.onnx")
    evaluation = Evaluation.revive(parameters["evaluation"])
    metrics = _metrics(evaluation, scorer.contract)
    rows, found, answers = _answered(
        scorer, inputs["prepare"] / "rows" / "test.parquet", evaluation.slices, context
    )
    write_json(output / "metrics.json", measure(found.answers, metrics) | {"rows": rows.num_rows})
    told = {
        "confidence": CONFIDENCE,
        "metrics": intervals(found.answers, metrics),
        "resamples": resamples(rows.num_rows),
    }
    write_json(output / "intervals.json", told)
    write_json(output / "slices.json", slices(rows, evaluation.slices, found, metrics))
    write_json(output / "answers.json", profile(answers))
    if scorer.contract.target.kind != "number":
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
    scorer: Scorer, file: Path, columns: Sequence[str], context: Context
) -> tuple[pa.Table, Judged, pa.Table]:
    """Return the columns to slice by, answers beside the truth, and the answers as a scorer gives them."""
    stored = parquet.ParquetFile(file)
    noted = (stored.schema_arrow.metadata or {}).get(b"mlspec.weight")
    weight = None if noted is None else noted.decode()
    target = scorer.contract.target.column
    wanted = dict.fromkeys([*(item.name for item in scorer.contract.inputs), target, *columns])
    if weight is not None:
        wanted[weight] = None
    known = [name for name in wanted if name in stored.schema_arrow.names]
    kept = [
        name for name in dict.fromkeys([target, *columns, *([weight] if weight else [])]) if name in known
    ]
    parts, answers, total = [], [], stored.metadata.num_rows
    done = 0
    for scored in scorer.score_many(stored.iter_batches(BATCH, columns=known)):
        if scored.reasons:
            raise StepError(f"a row of the test split cannot be scored: {scored.reasons[0]}")
        parts.append(scored.rows.select(kept))
        answers.append(scored.answers)
        done += scored.rows.num_rows
        context.progress(done, total, "rows")
    rows = pa.Table.from_batches(parts) if parts else stored.schema_arrow.empty_table().select(kept)
    table = pa.Table.from_batches(answers) if answers else scorer.schema.empty_table()
    truth = judged(scorer.contract, table, rows.column(target), rows.column(weight) if weight else None)
    return rows, truth, table
