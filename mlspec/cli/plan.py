"""`mlspec plan`: what a run would do, and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from mlspec.cli._preflight import lines as preflight_lines
from mlspec.cli._preflight import plain as preflight_plain
from mlspec.cli._preflight import preflight_of
from mlspec.cli.arguments import add_sample, add_spec, add_wait, spec_of
from mlspec.cli.console import emit, stderr, stdout

if TYPE_CHECKING:
    from pathlib import Path

    from mlspec.plan.plan import Plan
    from mlspec.run.planned import Planned
    from mlspec.run.room import Room
    from mlspec.run.status import Judgement
    from mlspec.spec.spec import Spec

SUMMARY = "show what a run would do, and why"
WORK_TO_DO = 10
SHOWN = 8
"""Names of inferred columns that are told, of each kind."""
WORDS = {"reuse": "reuse", "look": "look", "restore": "restore", "after": "may run", "run": "run"}
STYLES = {"reuse": "dim", "look": "dim", "restore": "cyan", "after": "yellow", "run": "bold green"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    add_sample(parser)
    parser.add_argument("--write", action="store_true", help="write pipelines/<name>/plan.yaml and dvc.yaml")
    parser.add_argument(
        "--memory", action="store_true", help="tell steps and the memory of a device also of one CPU"
    )
    add_wait(parser)
    parser.add_argument("--check", action="store_true", help="exit 10 where a run would have anything to do")


def plan(arguments: argparse.Namespace) -> int:
    """Tell the plan; 10 with `--check` where there is work."""
    from mlspec.run.lock import lock
    from mlspec.run.planned import planned
    from mlspec.run.resolve import resolve
    from mlspec.run.status import status
    from mlspec.run.write_plan import stale_files, write_plan

    path, overrides, overlays = spec_of(arguments)
    found = planned(path, overrides, overlays, sample=arguments.sample)
    resolved = resolve(found.plan, found.workspace, say=stderr().print)
    judged = status(resolved, found.workspace)
    takes = _takes(resolved, judged, found.workspace)
    ahead = preflight_of(resolved, found.workspace, arguments.memory)
    stale = tuple(stale_files(resolved, found.workspace))
    if arguments.json:
        told = _plain(resolved, found.workspace, judged, stale)
        if takes is not None:
            told |= {"takes": takes.plain()}
        emit(told if ahead is None else told | {"training": preflight_plain(ahead)})
    else:
        lines = () if takes is None else (takes.line(_memory(resolved)),)
        _show(found, resolved, judged, (*lines, *(() if ahead is None else preflight_lines(ahead))))
        if arguments.memory and ahead is None:
            stderr().print("steps and memory are told of a torch model once its data is prepared here")
    if arguments.write:
        # A run reads its parameters from these files when it writes down what it did.
        working = (found.workspace / ".mlspec").is_dir()
        said = stderr().print
        with lock(found.workspace, wait=arguments.wait, say=said) if working else nullcontext():
            written = write_plan(resolved, found.workspace)
        for name in written:
            stderr().print(f"wrote {name}")
    elif stale and not arguments.json and not any(judgement.works for judgement in judged):
        stdout().print(f"{', '.join(stale)}: to be written anew (`--write`, or a run)")
    work = bool(stale and not arguments.write) or any(judgement.works for judgement in judged)
    return WORK_TO_DO if arguments.check and work else 0


def _show(found: Planned, plan: Plan, judged: tuple[Judgement, ...], ahead: tuple[str, ...]) -> None:
    console, workspace = stdout(), found.workspace
    console.print(f"{plan.name}: {plan.spec}", style="bold")
    for line in (
        *_inferred(plan),
        *_computed(plan),
        *_found(plan, workspace),
        *_fitted(found.spec),
        *_spread(plan, workspace),
        *ahead,
    ):
        console.print(f"  {line}")
    width = max(len(judgement.step.name) for judgement in judged)
    pipeline = None
    for judgement in judged:
        if judgement.step.pipeline != pipeline:
            pipeline = judgement.step.pipeline
            console.print(f"  pipelines/{pipeline}", style="dim")
        first, *more = judgement.reasons or ("",)
        console.print(f"    {judgement.step.name:<{width}}  ", end="")
        word = WORDS[judgement.verdict]
        console.print(f"{word:<8}" if first else word, style=STYLES[judgement.verdict], end="")
        console.print(first)
        for reason in more:
            console.print(" " * (width + 14) + reason)
    console.print(_summary(judged))


def _memory(plan: Plan) -> int | None:
    return plan.step("ingest").memory


def _takes(plan: Plan, judged: tuple[Judgement, ...], workspace: Path) -> Room | None:
    """Return what the work ahead takes; refuse a data.memory that is too little for it."""
    working = [judgement.step for judgement in judged if judgement.verdict in ("run", "after")]
    if not working:
        return None
    from mlspec.run.room import check_promise, room

    found = room(working, workspace)
    if found is not None:
        check_promise(found, _memory(plan))
    return found


def _inferred(plan: Plan) -> Iterator[str]:
    """Tell what was chosen for `features: auto`, a line a kind."""
    kinds: dict[str, list[str]] = {}
    for name, feature in plan.inferred.get("features", {}).items():
        kinds.setdefault(feature["kind"], []).append(name)
    if plan.inferred.get("left_out"):
        kinds["left out"] = plan.inferred["left_out"]
    for kind, names in kinds.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield f"features: auto  {len(names)} {kind}: {', '.join(names[:SHOWN])}{more}"


def _computed(plan: Plan) -> Iterator[str]:
    """Tell where the rows of a database are worked on."""
    source = plan.step("ingest").parameters["data"]["source"]
    if plan.step("prepare").parameters.get("training_rows") == "sums":
        yield (
            "data: statistics, rules, splits and features are computed in the database, and the sums that "
            "training needs; prepare moves the rows of val and test, once, and no training row"
        )
    elif source.get("compute") == "database":
        yield (
            "data: statistics, rules, splits and features are computed in the database; "
            "prepare moves the columns that are needed, once"
        )
    elif "compute" in source:
        yield "data: ingest reads all rows of the database once and keeps them; everything is computed here"


def _found(plan: Plan, workspace: Path) -> Iterator[str]:
    """Tell what was found for `auto`, or that it will be."""
    from mlspec.spec.left_open import left_open
    from mlspec.steps._found import told

    parameters = plan.step("train").parameters
    given = told(parameters, workspace)["training"]
    for path in left_open(parameters["training"]):
        value: Any = given
        for name in path:
            value = value[name]
        how = "to be found by a run" if value == "auto" else f"{value}, as {parameters['found']} says"
        yield f"training.{'.'.join(path)}: auto  {how}"


def _spread(plan: Plan, workspace: Path) -> Iterator[str]:
    """Tell over how many devices training is spread, and what each has of a batch."""
    from mlspec.steps._found import told

    parameters = plan.step("train").parameters
    hardware = parameters.get("hardware")
    if hardware is None:
        return
    devices = hardware["devices"] * hardware["nodes"]
    if devices == 1:
        yield from _alone(hardware)
        return
    batch = told(parameters, workspace)["training"]["batch_size"]
    if batch == "auto":
        return
    strategy = hardware["strategy"]["kind"]
    chosen = _strategy(hardware["strategy"])
    alike = chosen.alike(devices)
    if 1 < alike < devices:
        sets = devices // alike
        least, most = batch // sets, -(-batch // sets)
        each = f"{least}" if least == most else f"{least} or {most}"
        yield (
            f"training: {strategy}, {devices} processes with a device each ({hardware['accelerator']}); "
            f"{sets} sets of {alike} devices, each of which has a part of each cut layer; "
            f"batch {batch} = {sets} sets x {each} rows"
        )
        return
    if alike == devices:
        yield (
            f"training: {strategy}, {devices} processes with a device each ({hardware['accelerator']}); "
            f"each has all {batch} rows of a batch, and a part of each cut layer"
        )
        return
    least, most = batch // devices, -(-batch // devices)
    each = f"{least}" if least == most else f"{least} or {most}"
    processes = f"{devices} processes with a device each"
    if chosen.one_process:
        processes = f"one process with {devices} devices"
    yield (
        f"training: {strategy}, {processes} ({hardware['accelerator']}); "
        f"batch {batch} = {devices} devices x {each} rows"
    )


def _alone(hardware: Mapping[str, Any]) -> Iterator[str]:
    """Tell of a strategy that has nothing to share on one device."""
    chosen = _strategy(hardware["strategy"])
    if chosen.max_devices != 1 and not chosen.one_process:
        yield (
            f"training: '{chosen.kind}' shares work over devices, and hardware has one "
            f"({hardware['accelerator']}): it trains as 'single' does"
        )


def _fitted(spec: Spec) -> Iterator[str]:
    """Tell of a preset's hardware in which a model that is fitted at once has no part."""
    hardware = spec.hardware
    if spec.model.in_epochs():
        return
    asks = (hardware.precision, hardware.strategy.kind)
    if hardware.accelerator not in ("auto", "cpu") or asks != ("fp32", "single"):
        yield (
            f"training: '{spec.model.kind}' is fitted at once, on the CPU; the preset's accelerator, "
            f"precision and strategy are for other models"
        )


def _strategy(strategy: Mapping[str, Any]) -> Any:
    from mlspec.sdk.frozen import freeze
    from mlspec.sdk.slot import Slot

    return Slot("strategy").choose(freeze(strategy))


def _summary(judged: tuple[Judgement, ...]) -> str:
    counts = {
        "to run": sum(judgement.verdict == "run" for judgement in judged),
        "may run after them": sum(judgement.verdict == "after" for judgement in judged),
        "to restore": sum(judgement.verdict == "restore" for judgement in judged),
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    if told:
        return f"{told} (of {len(judged)} steps)"
    looks = any(judgement.verdict == "look" for judgement in judged)
    return "nothing to do" + (", unless the source has changed: a run looks" if looks else "")


def _plain(
    plan: Plan, workspace: Path, judged: tuple[Judgement, ...], stale: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "name": plan.name,
        "spec": plan.spec,
        "workspace": str(workspace),
        "inferred": dict(plan.inferred),
        "stale": list(stale),
        "work": any(judgement.works for judgement in judged),
        "steps": [
            {
                "name": judgement.step.name,
                "pipeline": judgement.step.pipeline,
                "verdict": judgement.verdict,
                "reasons": list(judgement.reasons),
                "output": judgement.step.output,
                "inputs": dict(judgement.step.inputs),
                "dependencies": list(judgement.step.dependencies),
                "parameters": judgement.step.parameters,
            }
            for judgement in judged
        ],
    }
