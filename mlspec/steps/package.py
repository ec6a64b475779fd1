"""The step `package-<deployment>`: what is deployed, self-describing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mlspec.engine.files import write_json
from mlspec.engine.reading.row_file import stored_rows
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.watching.segment_references import segment_references
from mlspec.engine.watching.segments import FILE
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.sdk.deployment import Deployment
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot

BATCH = 65_536
"""Rows that are read at once."""


def package(
    parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context
) -> None:
    """Write a package: production needs neither the spec nor DVC.

    Args:
        parameters: `name`, `deployments.<deployment>` and, where rows are watched by them,
            `monitoring.segments`.
        inputs: `export-<name>` and `evaluate-<name>` of the export that is deployed, `gate` and `prepare`.
        output: An empty folder.
        context: Its step's name is told where something is missing.

    Raises:
        StepError: the gate has not passed, an artifact is missing, or rows cannot be told apart by a column.
    """
    ((name, options),) = parameters["deployments"].items()
    deployment = Slot("deployment").choose(freeze(options))
    assert isinstance(deployment, Deployment)
    if not (inputs["gate"] / "passed").is_file():
        raise StepError("the gate has not passed", where=context.step, fix="mlspec run --until gate")
    known = {
        "inputs": inputs["prepare"] / "reference.json",
        "answers": inputs[f"evaluate-{deployment.export}"] / "answers.json",
    }
    export = inputs[f"export-{deployment.export}"]
    deployment.pack(export, parameters["name"], name, {k: v for k, v in known.items() if v.is_file()}, output)
    columns = parameters.get("monitoring", {}).get("segments", ())
    if columns:
        rows = parquet.ParquetFile(inputs["prepare"] / "rows" / "test.parquet")
        write_json(output / FILE, {"segments": _segments(columns, rows, export / "model.onnx", context)})


def _segments(
    columns: Sequence[str], rows: parquet.ParquetFile, model: Path, context: Context
) -> list[dict[str, Any]]:
    """Return what the held-out rows of each segment look like, and their answers."""
    scorer = Scorer(model)
    texts = [item.name for item in scorer.contract.inputs if item.tensor == "string"]
    for column in columns:
        if column not in texts:
            raise StepError(
                f"rows cannot be told apart by '{column}': it is no column of text that the model takes",
                where="monitoring.segments",
                fix=f"one of {', '.join(texts)}" if texts else "leave monitoring.segments out",
            )
    names = [item.name for item in scorer.contract.inputs]
    answers, done = [], 0
    for scored in scorer.score_many(stored_rows(rows, BATCH, names)):
        answers.append(scored.answers)
        done += scored.rows.num_rows
        context.progress(done, rows.metadata.num_rows, "rows")
    return segment_references(
        columns, lambda name: rows.read(columns=[name]).column(0), names, pa.Table.from_batches(answers)
    )
