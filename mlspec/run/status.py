"""What a run would do, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlspec.plan.difference import difference
from mlspec.plan.plan import Plan, Step
from mlspec.run.away import away
from mlspec.run.memo import unchanged
from mlspec.run.other_files import other_files
from mlspec.run.seal import FILE
from mlspec.run.store import Store, stage_of, store
from mlspec.run.write_plan import stale_files

Verdict = Literal["reuse", "look", "restore", "after", "run"]
"""`look`: the source is looked at in each run; `after`: runs if what it reads comes out different."""


@dataclass(frozen=True)
class Judgement:
    """What will happen to a step."""

    step: Step
    verdict: Verdict
    reasons: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Return whether there is anything to do."""
        return self.verdict in ("restore", "after", "run")


def status(plan: Plan, workspace: Path) -> tuple[Judgement, ...]:
    """Return what a run would do with each step, in their order; no step is imported."""
    if not (workspace / ".dvc" / "config").is_file():
        return tuple(Judgement(step, "run", ("never run here",)) for step in plan.steps)
    if unchanged(plan, workspace) and not stale_files(plan, workspace):
        return tuple(Judgement(step, "reuse") for step in plan.steps)
    found: dict[str, Judgement] = {}
    with store(workspace, plan) as opened:
        for step in plan.steps:
            found[step.name] = _with_files(_with_data(judge(opened, step, ahead=found), workspace), workspace)
    return tuple(found.values())


def _with_data(judged: Judgement, workspace: Path) -> Judgement:
    """Return a judgement that tells of raw data that the step needs and that is not here."""
    missing = away(judged.step, workspace) if judged.verdict == "run" else None
    if missing is None:
        return judged
    return dataclasses.replace(judged, reasons=(*judged.reasons, f"and cannot: {missing.what}"))


def _with_files(judged: Judgement, workspace: Path) -> Judgement:
    """Return a judgement that tells which files of the source are others than before."""
    if judged.step.kind != "ingest" or judged.verdict not in ("run", "look"):
        return judged
    line = other_files(judged.step, workspace)
    return judged if line is None else dataclasses.replace(judged, reasons=(*judged.reasons, line))


def judge(
    opened: Store,
    step: Step,
    ahead: Mapping[str, Judgement] | None = None,
    absent: Collection[str] = (),
) -> Judgement:
    """Return what must happen to a step.

    Args:
        opened: What DVC knows.
        step: The step.
        ahead: What will happen to the steps before it; None where they are done.
        absent: Folders that are not here and cannot be brought; the lock's word for them is taken.
    """
    recorded = opened.recorded(step)
    if not recorded:
        return Judgement(step, "run", ("never run here",))
    reasons = [*_parameters(step, recorded), *_structure(step, recorded)]
    open_inputs = _open_inputs(step, ahead or {})
    stage = opened.stage(step)
    watched = [dep for dep in stage.deps if not hasattr(dep, "params")]
    # The guard's file is constant, and written before any step begins.
    unsettled = (*open_inputs, *absent, f"artifacts/{step.pipeline}/plan")
    settled = [dep for dep in watched if not any(_inside(dep.def_path, folder) for folder in unsettled)]
    notes = []
    for path, state in sorted(opened.changes(settled).items()):
        if state == "deleted" and step.kind == "ingest":
            notes.append(f"{path} is not here: cannot check, reused")
        else:
            reasons.append(f"{path} {'is not here' if state == 'deleted' else 'changed'}")
    if reasons:
        return Judgement(step, "run", tuple(reasons))
    waits = tuple(f"after {name}" for name, verdict in open_inputs.values() if verdict != "restore")
    if waits:
        return Judgement(step, "after", waits)
    states = {"deleted": "is not here", "modified": "was edited"}
    outs = tuple(f"{path} {states.get(state, state)}" for path, state in opened.changes(stage.outs).items())
    if outs:
        return Judgement(step, "restore", outs)
    if not opened.sealed(step):
        return Judgement(step, "run", (_unsealed(opened.root / step.output),))
    if step.always:
        return Judgement(step, "look", ("its source cannot be watched",))
    return Judgement(step, "reuse", tuple(notes))


def _parameters(step: Step, recorded: Mapping[str, object]) -> tuple[str, ...]:
    params = recorded.get("params")
    old = params.get(f"pipelines/{step.pipeline}/plan.yaml") if isinstance(params, Mapping) else None
    return difference((old or {}).get(step.name, {}), step.parameters)


def _structure(step: Step, recorded: Mapping[str, object]) -> tuple[str, ...]:
    """Tell which dependencies came and went."""
    entries = recorded.get("deps")
    old = {entry["path"] for entry in entries} if isinstance(entries, list) else set()
    new = set(stage_of(step).get("deps", ()))
    return (
        *(f"reads {path} now" for path in sorted(new - old)),
        *(f"reads {path} no more" for path in sorted(old - new)),
    )


def _unsealed(folder: Path) -> str:
    if (folder / FILE).is_file():
        return "it was made of something else than dvc.lock says (a merge?)"
    return f"it does not say what it was made of: there is no {FILE}"


def _open_inputs(step: Step, ahead: Mapping[str, Judgement]) -> dict[str, tuple[str, Verdict]]:
    """Return the folders whose content is not known yet, with the step that will write each."""
    found: dict[str, tuple[str, Verdict]] = {}
    for name, folder in step.inputs.items():
        judged = ahead.get(name)
        if judged is None or not judged.works:
            continue
        read = [path for path in step.dependencies if _inside(path, folder)]
        # `passed` holds the same bytes each time: a check that runs again is no reason to work.
        if judged.verdict != "restore" and all(path.endswith("/passed") for path in read):
            continue
        found[folder] = (name, judged.verdict)
    return found


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
