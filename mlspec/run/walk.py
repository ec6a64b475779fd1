"""A plan, step by step, in one process."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlspec.engine.files import write_bytes
from mlspec.errors import MissingError, PlanError, UsageError
from mlspec.plan.plan import Plan, Step
from mlspec.run.away import away
from mlspec.run.baseline import ready_baseline
from mlspec.run.lock import lock
from mlspec.run.memo import forget, remember, unchanged
from mlspec.run.mend import mend
from mlspec.run.peak import Peak
from mlspec.run.perform import perform
from mlspec.run.refused import refused
from mlspec.run.report import Outcome, Report
from mlspec.run.resolve import resolve
from mlspec.run.room import check_room
from mlspec.run.status import Judgement, judge
from mlspec.run.store import Store, store
from mlspec.run.unmoved import unmoved
from mlspec.run.watch import Noting, Watch
from mlspec.run.workspace import workspace as make_workspace
from mlspec.run.write_plan import stale_files, write_plan
from mlspec.spec.needs import check_needs

if TYPE_CHECKING:
    from mlspec.run.record import GitRecord


def run_plan(
    plan: Plan,
    workspace: Path | str = ".",
    *,
    until: str | None = None,
    only: str | None = None,
    force: Sequence[str] = (),
    locked: bool = False,
    wait: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Do what a plan asks for and is not done yet.

    Args:
        plan: What to do.
        workspace: The folder with `.dvc`, or where it is made: the paths of the plan start here.
        until: The last step: only it and what it needs are done.
        only: The one step that is done; what it reads must be there.
        force: Steps whose work is done again in any case.
        locked: Nothing may be chosen or rewritten: plan.yaml and the contract must be there and right.
        wait: Wait for another run, instead of refusing.
        watch: Told what happens.

    Returns:
        What became of each step.

    Raises:
        CheckFailed: a rule, a parity check or a gate said no.
        MissingError: something is missing here: a file, room on the disk, the right to write; or another
            run works in this workspace.
        StepError: a step failed.
    """
    root, watch = Path(workspace).resolve(), Noting(watch or Watch())
    chosen = _chosen(plan, until, only)
    forced = {name for word in force for name in _names(plan, word)}
    try:
        with lock(root, wait=wait, say=watch.said):
            return _run(plan, root, watch, locked, chosen, forced)
    except Exception as fault:
        told = refused(fault, root)
        if told is None:
            raise
        raise told from fault


def _run(
    plan: Plan, root: Path, watch: Noting, locked: bool, chosen: frozenset[str], forced: set[str]
) -> Report:
    start = time.perf_counter()
    plan = resolve(plan, root, locked=locked, say=watch.said)
    if locked:
        _refuse_stale(plan, root)
    if not write_plan(plan, root) and not forced and unchanged(plan, root):
        for step in plan.steps:
            _tell_unprofiled(step, watch)
        done = (Outcome(step.name, step.pipeline, "reused", (), 0.0, step.output) for step in plan.steps)
        return Report(plan, root, tuple(done), time.perf_counter() - start)
    make_workspace(root, watch.said)
    for line in mend(root, plan, _written(plan)):
        watch.said(line)
    forget(plan, root)
    report = _Walk(plan, root, watch, locked, chosen).walk(forced)
    if len(report.outcomes) == len(plan.steps) and not any(
        outcome.reasons for outcome in report.outcomes if outcome.done == "reused"
    ):
        remember(plan, root)
    return report


@dataclass
class _Walk:
    plan: Plan
    root: Path
    watch: Noting
    locked: bool
    chosen: frozenset[str]
    outcomes: list[Outcome] = field(default_factory=list)
    absent: dict[str, MissingError] = field(default_factory=dict)
    """Folders that are not here and can be neither brought nor made, with what is missing for it."""
    checked: bool = False
    """Whether disk and memory were looked at, before the first work."""

    def walk(self, forced: set[str]) -> Report:
        began, start = datetime.now(UTC), time.perf_counter()
        fault: BaseException | None = None
        locks = self._locks()
        try:
            with store(self.root, self.plan, self.watch.said) as opened:
                self._guard(opened)
                for step in self.plan.steps:
                    if step.name in self.chosen:
                        self._settle(opened, step, step.name in forced)
                for pipeline in (self.plan.data_name, self.plan.name):
                    opened.tidy(pipeline)
        except (Exception, KeyboardInterrupt) as raised:
            fault = raised
            raise
        finally:
            report = Report(self.plan, self.root, tuple(self.outcomes), time.perf_counter() - start)
            if report.worked or fault is not None:
                # What was restored as the lock had it is the work that the latest record tells of.
                ran = any(outcome.done == "ran" for outcome in self.outcomes)
                renew = ran or fault is not None or self._locks() != locks
                record = self._record(report, began, fault, renew)
        if report.worked:
            return Report(self.plan, self.root, report.outcomes, report.seconds, record)
        return report

    @cached_property
    def _git(self) -> GitRecord:
        from mlspec.run.git_state import git_state

        return git_state(self.plan, self.root)

    def _locks(self) -> list[bytes | None]:
        files = [
            self.root / "pipelines" / name / "dvc.lock" for name in (self.plan.data_name, self.plan.name)
        ]
        return [file.read_bytes() if file.is_file() else None for file in files]

    def _record(
        self, report: Report, began: datetime, fault: BaseException | None, renew: bool
    ) -> Path | None:
        # Not at the top: a run with nothing to do needs none of it.
        from mlspec.run.write_record import write_record

        try:
            return write_record(report, began, fault, self._git, self.watch.lines, renew=renew)
        except OSError as full:
            # The run's own end is what the user must hear of.
            self.watch.said(f"no record of this run could be written: {full}")
            return None

    def _guard(self, opened: Store) -> None:
        """Settle the stage that keeps `dvc repro` honest: this run has just written the plan."""
        step = self.plan.guard
        if judge(opened, step).verdict == "reuse":
            return
        _clear(_set_aside(self.root, self.root / step.output))
        if not opened.restore(step):
            opened.work(
                opened.stage(step), lambda: write_bytes(self.root / step.output / "passed", b"passed\n")
            )

    def _settle(self, opened: Store, step: Step, forced: bool) -> None:
        if step.kind == "validate":
            self._propose_contract(step)
        if step.kind == "gate" and step.parameters["baseline"] is not None:
            ready_baseline(step.parameters["baseline"], self.root, locked=self.locked, say=self.watch.said)
        if step.kind == "train" and "found" in step.parameters:
            self._find(opened, step)
        judged = judge(opened, step, absent=self.absent)
        if judged.verdict == "reuse" and not forced:
            self._note(step, "reused", judged.reasons, 0.0)
            return
        reasons = ("--force", *judged.reasons) if forced else judged.reasons
        start, before = time.perf_counter(), opened.recorded(step).get("outs")
        if judged.verdict == "look" and not forced:
            kept = self._looked_at(step)
            if kept is not None:
                self._note(step, "reused", kept, time.perf_counter() - start)
                return
        missing = away(step, self.root)
        if not forced and (missing or not step.always) and self._restored(opened, step, judged):
            self._note(step, "restored", reasons, time.perf_counter() - start)
            return
        if missing and judged.verdict == "restore" and not forced:
            self.absent[step.output] = missing
            self._note(step, "reused", (f"not here, and not made again: {missing.what}",), 0.0)
            return
        if missing:
            raise MissingError(
                f"'{step.name}' must run ({reasons[0]}), and its raw data is not here: {missing.what}",
                where=step.name,
                fix=missing.fix,
            )
        # Said before the first long work, not after it.
        coming = self._from(step)
        check_needs(plugin for later in coming for plugin in later.plugins)
        if not self.checked:
            check_room(coming, self.root)
            self.checked = True
        _ = self._git  # looked at before the work: files may be edited meanwhile
        self.watch.started(step, reasons)
        peak = Peak()
        try:
            with peak:
                self._work(opened, step, reasons)
        except BaseException as fault:
            word: Literal["failed", "interrupted"] = (
                "failed" if isinstance(fault, Exception) else "interrupted"
            )
            self._note(step, word, reasons, time.perf_counter() - start, peak.bytes)
            raise
        if judged.verdict == "look" and opened.recorded(step)["outs"] == before:
            self._note(step, "reused", (), time.perf_counter() - start)
        else:
            self._note(step, "ran", reasons, time.perf_counter() - start, peak.bytes)

    def _looked_at(self, step: Step) -> tuple[str, ...] | None:
        """Return why a source that DVC cannot watch needs no reading; None where it holds something else."""
        try:
            return () if unmoved(step, self.root) else None
        except MissingError as missing:
            return (f"cannot check, reused: {missing.what}",)

    def _from(self, step: Step) -> tuple[Step, ...]:
        return tuple(
            later for later in self.plan.steps[self.plan.steps.index(step) :] if later.name in self.chosen
        )

    def _restored(self, opened: Store, step: Step, judged: Judgement) -> bool:
        output = self.root / step.output
        as_locked, complete = judged.verdict == "restore", not self._missing(step)
        if not as_locked and not complete:
            return False
        aside = _set_aside(self.root, output)
        if (as_locked and opened.bring(step)) or (complete and opened.restore(step)):
            _clear(aside)
            return True
        _clear(output)  # what came was not made of this
        # The old artifact stays until the new one takes its place.
        if aside is not None:
            aside.replace(output)
        return False

    def _work(self, opened: Store, step: Step, reasons: tuple[str, ...]) -> None:
        missing = self._missing(step)
        if missing:
            first = missing[0]
            self._refuse_absent(opened, step, first, reasons)
            made = first.startswith("artifacts/")
            fix = "run without --only, so that it is made" if made else "check the path, or bring the file"
            raise MissingError(f"'{first}' is not here", where=step.name, fix=fix)

        stage = opened.stage(step)

        def action() -> None:
            fingerprints = {
                dep.def_path: str(dep.hash_info.value) for dep in stage.deps if not hasattr(dep, "params")
            }
            perform(step, self.root, fingerprints, self.watch, lambda: opened.whole(stage))

        opened.work(stage, action)

    def _refuse_absent(self, opened: Store, step: Step, path: str, reasons: tuple[str, ...]) -> None:
        folder = next((folder for folder in self.absent if f"{path}/".startswith(f"{folder}/")), None)
        if folder is None:
            return
        lost, made = self.absent[folder], folder.rpartition("/")[2]
        remote = f", nor in the remote '{opened.remote}'" if opened.remote else ""
        raise MissingError(
            f"'{step.name}' must run ({reasons[0]}) and reads what '{made}' made: "
            f"it is not in DVC's cache{remote}, and it is made of raw data that is not here: {lost.what}",
            where=step.name,
            fix=f"`dvc push` where it was made; or {lost.fix}",
        )

    def _find(self, opened: Store, step: Step) -> None:
        """Find what the training leaves open, unless that was done for these rows."""
        from mlspec.run.ready_found import ready_found

        rows = opened.recorded(self.plan.step("prepare")).get("outs")
        ready_found(step, rows, self.root, locked=self.locked, say=self.watch.said)

    def _missing(self, step: Step) -> tuple[str, ...]:
        return tuple(path for path in step.dependencies if not (self.root / path).exists())

    def _propose_contract(self, step: Step) -> None:
        name = step.parameters["validation"]["contract"]
        proposal = self.root / step.inputs["ingest"] / "contract.yaml"
        if (self.root / name).exists():
            return
        if self.locked:
            raise MissingError(
                f"the contract '{name}' is missing, and --locked lets none be inferred",
                where="validation.contract",
                fix="`mlspec run --until validate`, review the file it writes, and commit it",
            )
        if proposal.is_file():
            write_bytes(self.root / name, proposal.read_bytes())
            if self.plan.sample is None:
                self.watch.said(f"wrote {name}: what the data looks like now; review it and commit it")

    def _note(
        self,
        step: Step,
        done: Literal["reused", "restored", "ran", "failed", "interrupted"],
        reasons: tuple[str, ...],
        seconds: float,
        peak: int | None = None,
    ) -> None:
        if done in ("reused", "restored"):
            _tell_unprofiled(step, self.watch)
        outcome = Outcome(step.name, step.pipeline, done, reasons, seconds, step.output, peak)
        self.outcomes.append(outcome)
        self.watch.finished(outcome)


def _tell_unprofiled(step: Step, watch: Watch) -> None:
    """Tell of a training that was to be looked at, and is not done."""
    if step.profile:
        watch.said(
            f"training.profile: '{step.name}' is not done in this run, so there is nothing to profile; "
            f"`mlspec run --force {step.name}` trains again"
        )


def _written(plan: Plan) -> tuple[str, ...]:
    """Return the folders that a run writes single files into, from the workspace; globs."""
    named = [step.parameters["validation"]["contract"] for step in plan.steps if step.kind == "validate"]
    named += [step.parameters["baseline"] for step in plan.steps if step.kind == "gate"]
    parents = {Path(name).parent.as_posix() for name in named if name is not None}
    return (".", ".mlspec", ".mlspec/memo", "pipelines/*", "artifacts/*/logs", *sorted(parents))


def _chosen(plan: Plan, until: str | None, only: str | None) -> frozenset[str]:
    if until is not None and only is not None:
        raise UsageError("--until and --only exclude each other", fix="name one of them")
    if only is not None:
        return frozenset(_names(plan, only))
    if until is not None:
        last = _names(plan, until)
        return frozenset(last).union(*(plan.needs(name) for name in last))
    return frozenset(step.name for step in plan.steps)


def _names(plan: Plan, word: str) -> tuple[str, ...]:
    """Return the full names that a user's word stands for: `export` is every export."""
    names = tuple(step.name for step in plan.steps if word in (step.name, step.kind))
    if not names:
        raise UsageError(
            f"there is no step '{word}'", fix=f"one of {', '.join(step.name for step in plan.steps)}"
        )
    return names


def _refuse_stale(plan: Plan, root: Path) -> None:
    stale = stale_files(plan, root)
    if stale:
        raise PlanError(
            f"'{next(iter(stale))}' differs from the spec, and --locked lets nothing be rewritten",
            where=plan.spec,
            fix="`mlspec plan --write`, and commit pipelines/",
        )


def _clear(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _set_aside(root: Path, output: Path) -> Path | None:
    if not output.exists():
        return None
    aside = root / ".mlspec" / "tmp" / f"aside-{output.name}-{os.getpid()}"
    aside.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(aside, ignore_errors=True)
    output.replace(aside)
    return aside
