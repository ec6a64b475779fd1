"""A run's record on disk: the latest beside the plan, every one in the logs."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlspec.engine.files import write_bytes, write_json
from mlspec.errors import MlspecError
from mlspec.run.record import Failure, GateRecord, GitRecord, Intervals, Record, StepRecord, latest
from mlspec.run.report import Outcome, Report
from mlspec.run.rows_of import rows_of
from mlspec.run.versions import versions


def write_record(
    report: Report,
    began: datetime,
    fault: BaseException | None,
    git: GitRecord,
    said: Sequence[str] = (),
    *,
    renew: bool = True,
) -> Path:
    """Write a run's record into the logs, and to `pipelines/<name>/run.json`; return the file in the logs.

    Beside the latter lies the whole traceback of what went wrong: it names paths of this machine, so it is
    kept out of what is committed.

    Args:
        report: What became of each step.
        began: UTC.
        fault: What ended the run; None where it worked.
        git: The commit it was worked at.
        said: Lines that the user was told.
        renew: False leaves a `run.json` that is there as it is.
    """
    record = _record(report, began, fault, git, said)
    logs = report.workspace / "artifacts" / report.plan.name / "logs"
    file = logs / f"run-{began:%Y%m%dT%H%M%S%f}.json"
    if fault is not None:
        write_bytes(
            file.with_suffix(".txt"), "".join(traceback.format_exception(fault)).encode("utf-8", "replace")
        )
    write_json(file, record.plain())
    newest = latest(report.workspace, report.plan.name)
    if renew or not newest.exists():
        write_json(newest, record.plain())
    return file


def _record(
    report: Report, began: datetime, fault: BaseException | None, git: GitRecord, said: Sequence[str]
) -> Record:
    plan, place = report.plan, str(report.workspace)
    return Record(
        name=plan.name,
        spec=plan.spec,
        overlays=plan.overlays,
        overrides=plan.overrides,
        began=began.replace(microsecond=0),
        seconds=round(report.seconds, 1),
        ended="done" if fault is None else "failed" if isinstance(fault, Exception) else "interrupted",
        failure=None if fault is None else _failure(fault, report, place),
        steps=tuple(_step(outcome, report.workspace) for outcome in report.outcomes),
        metrics={name: _rounded(values) for name, values in report.metrics.items()},
        intervals=_intervals(report),
        gates=_gates(report),
        git=git,
        versions=versions(),
        machine=_machine(),
        said=tuple(line.replace(place, ".") for line in said),
    )


def _step(outcome: Outcome, workspace: Path) -> StepRecord:
    kind = outcome.step.partition("-")[0]
    # What a failed step wrote lies in its logs; its folder still holds an older one's.
    logs = workspace / "artifacts" / outcome.pipeline / "logs" / outcome.step
    whole = outcome.done not in ("failed", "interrupted")
    return StepRecord(
        step=outcome.step,
        pipeline=outcome.pipeline,
        done=outcome.done,
        reasons=tuple(reason.replace(str(workspace), ".") for reason in outcome.reasons),
        seconds=round(outcome.seconds, 1),
        output=outcome.output,
        peak_mib=None if outcome.peak is None else round(outcome.peak / 2**20),
        rows=rows_of(kind, workspace / outcome.output if whole else logs),
        hardware=None if outcome.done == "restored" else _read(logs / "hardware.json"),
    )


def _failure(fault: BaseException, report: Report, place: str) -> Failure:
    last = report.outcomes[-1] if report.outcomes else None
    stopped = last is not None and last.done in ("failed", "interrupted")
    what = fault.what if isinstance(fault, MlspecError) else str(fault)
    fix = fault.fix if isinstance(fault, MlspecError) else None
    return Failure(
        error=type(fault).__name__,
        what=what.replace(place, "."),
        step=last.step if last is not None and stopped else None,
        fix=None if fix is None else fix.replace(place, "."),
    )


def _intervals(report: Report) -> dict[str, Intervals]:
    found = {}
    for step in report.steps:
        file = report.workspace / step.output / "intervals.json"
        if step.kind == "evaluate" and file.is_file():
            # A file that somebody edited is no reason to lose the record of a run.
            with contextlib.suppress(ValidationError):
                found[step.name.partition("-")[2]] = Intervals.model_validate_json(file.read_bytes())
    return found


def _gates(report: Report) -> tuple[GateRecord, ...]:
    for outcome in report.outcomes:
        if outcome.step == "gate" and outcome.done != "interrupted":
            logs = report.workspace / "artifacts" / outcome.pipeline / "logs" / "gate"
            folder = logs if outcome.done == "failed" else report.workspace / outcome.output
            content = _read(folder / "report.json") or {}
            return tuple(GateRecord.model_validate(gate) for gate in content.get("gates", ()))
    return ()


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values.items()
    }


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _machine() -> dict[str, Any]:
    import psutil

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": round(psutil.virtual_memory().total / 2**20),
    }
