"""Look at the source: what is there, what can be read, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.checking.contract_file import infer_contract
from mlspec.engine.checking.statistics import statistics
from mlspec.engine.checking.survey import Survey
from mlspec.engine.files import write_bytes, write_json
from mlspec.engine.pushdown.open_rows import open_rows
from mlspec.engine.reading.kept_rows import keep_rows, of_kept_rows
from mlspec.engine.reading.marks import Marks
from mlspec.engine.reading.reading import Reading
from mlspec.sdk.context import Context
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.sdk.source import Source


def ingest(parameters: Mapping[str, Any], inputs: Mapping[str, Path], output: Path, context: Context) -> None:
    """Write `manifest.json`, `statistics.json`, `rejects.json` and a proposal of a `contract.yaml`; and
    `rows.parquet`, the raw rows, where the source is a live one.

    Args:
        parameters: `data`, as much of it as is needed to read rows.
        inputs: None.
        output: An empty folder.
        context: Where the step works.

    Raises:
        StepError: the source cannot be read.
        CheckFailed: more rows are unreadable than `data.max_rejects` allows; `rejects.json` is written then.
    """
    data = parameters["data"]
    source: Source = Slot("source").choose(freeze(data["source"]))  # type: ignore[assignment]
    marks = Marks.of(source, context)
    found: Survey | Reading
    if source.computes:
        snapshot = source.snapshot()
        kept: dict[str, Any] | None = snapshot.fingerprint()
        found = open_rows(data, snapshot)
    else:
        kept = keep_rows(source, output, context) if source.keeps else None
        local = of_kept_rows(data, output, context)
        found = Survey.of(local, context) or Reading.where_it_lies(local, context)
    write_json(
        output / "rejects.json",
        {"rows": found.rejected, "reasons": [item.plain() for item in found.rejects]},
    )
    found.check()
    if found.rejected:
        context.say(
            f"{found.rejected} of {found.rows} rows are unreadable and left out; they are in rejects.json"
        )

    def tell(done: float, total: float) -> None:
        context.progress(done, total, f"columns of {found.rows:,} rows")

    if isinstance(found, Survey):
        (types, told), fingerprint = found.summary(tell), found.by_file.fingerprint
        if line := found.line():
            context.say(line)
    else:
        with found.asking():
            types, told = found.types(), statistics(found.table, tell)
        fingerprint = kept or found.fingerprint or source.fingerprint(context)
        found.close()
    marks.check()
    write_json(
        output / "manifest.json",
        {
            "rows": found.rows,
            "rejected": found.rejected,
            "columns": types,
            "fingerprint": kept or fingerprint,
        },
    )
    write_json(output / "statistics.json", told)
    contract = infer_contract(told, types, data.get("key") or (), context.name.removeprefix("data-"))
    write_bytes(output / "contract.yaml", contract.encode())
