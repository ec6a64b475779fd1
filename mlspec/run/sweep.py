"""A sweep: the data prepared once, and one training after the other, ranked on the val split."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from mlspec.compose.document import KeyPath
from mlspec.engine.files import read_json, write_json
from mlspec.errors import MissingError, MlspecError, StepError
from mlspec.plan.build import build_plan
from mlspec.plan.leaves import leaves
from mlspec.plan.plan import Step
from mlspec.run.lock import lock
from mlspec.run.locked import locked_inputs
from mlspec.run.planned import Planned
from mlspec.run.study import Study, best
from mlspec.run.trainers import Trainer, Trainers
from mlspec.run.tried import Tried
from mlspec.run.walk import run_plan
from mlspec.run.watch import Watch
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot
from mlspec.spec.check_sweep import trouble
from mlspec.spec.dotted import dotted
from mlspec.spec.needs import check_needs
from mlspec.spec.resolved import resolved
from mlspec.spec.space import Dimension, space
from mlspec.spec.spec import Spec
from mlspec.spec.varied import varied

DEATHS = 3
"""Processes that end one after the other without a trial done, until the sweep gives up."""
DIGITS = 16
ABOUT = "about.json"


@dataclass(frozen=True)
class Swept:
    """What a sweep came to."""

    name: str
    key: str
    """Of the study: other data, search space or other parameters have another."""
    metric: str
    better: Literal["higher", "lower"]
    wanted: int
    """Trials that were asked for."""
    tried: tuple[Tried, ...]
    folder: Path
    """Where the study lies."""
    dimensions: tuple[Dimension, ...]
    began: int = 0
    """Trials that this call trained."""

    @property
    def best(self) -> Tried | None:
        """The best trial that was trained to its end."""
        return best(self.tried, self.better)


class SweepWatch(Watch):
    """Told what happens in a sweep as well."""

    def trial(self, tried: Tried, metric: str) -> None:
        """A trial has ended."""

    def swept(self, ended: int, wanted: int, found: Tried | None) -> None:
        """So many trials of all have ended, and this is the best of them."""


def sweep(found: Planned, watch: SweepWatch, *, wait: bool = False) -> Swept:
    """Train the trials that a spec asks for and that are not trained yet.

    Args:
        found: The spec and its plan; its `sweep` says what is searched.
        watch: Told what happens.
        wait: Wait for another run, instead of refusing.

    Raises:
        MissingError: something is missing here, or another run works in this workspace.
        StepError: the data cannot be prepared, or no process that trains can be held.
        KeyboardInterrupt: asked to end; what was trained is kept, and the next call goes on.
    """
    assert found.spec.sweep is not None
    step = found.plan.step("train")
    check_needs(step.plugins)
    run_plan(found.plan, found.workspace, until="prepare", wait=wait, watch=watch)
    with lock(found.workspace, wait=wait, say=watch.said):
        return _Sweeping(found, watch).run()


@dataclass
class _Sweeping:
    found: Planned
    watch: SweepWatch
    deaths: int = 0
    ended: int = 0
    began: int = 0

    def run(self) -> Swept:
        new = not self.folder.is_dir()
        study = Study(self.folder, self.sweep, self.dimensions, self.metric.better, self.found.spec.seed)
        if new:
            self._tell_why()
            write_json(self.folder / ABOUT, self.about)
        self.ended = sum(one.state != "open" for one in study.tried)
        if any(one.state == "open" for one in study.tried) or self.ended < self.sweep.trials:
            self._train(study)
        return Swept(
            self.found.plan.name,
            self.key,
            self.metric.kind,
            self.metric.better,
            self.sweep.trials,
            study.tried,
            self.folder,
            self.dimensions,
            self.began,
        )

    @cached_property
    def sweep(self) -> Any:
        return self.found.spec.sweep

    @cached_property
    def dimensions(self) -> tuple[Dimension, ...]:
        return space(self.sweep.parameters, self.found.composed)

    @cached_property
    def metric(self) -> Any:
        return Slot("metric").choose(self.sweep.metric)

    @cached_property
    def about(self) -> dict[str, Any]:
        """Everything that decides over what a trial comes to, but for its values."""
        first = self._step({one.path: one.first for one in self.dimensions})
        ranked = {key: getattr(self.sweep, key) for key in ("metric", "sampler", "pruner")}
        told: dict[str, Any] = json.loads(
            json.dumps(
                {
                    "training": first.parameters,
                    "data": locked_inputs(self.found.workspace, first),
                    "sweep": ranked | {"parameters": resolved(self.sweep.parameters)},
                }
            )
        )
        return told

    @cached_property
    def key(self) -> str:
        text = json.dumps(self.about, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]

    @property
    def folder(self) -> Path:
        return self.found.workspace / "artifacts" / self.found.plan.name / "sweep" / self.key

    def _step(self, values: Mapping[KeyPath, Any]) -> Step:
        """Return the step `train` with some values, on one device of this machine.

        Raises:
            StepError: these values do not go together.
        """
        other = varied(self.found.composed, values)
        try:
            spec = Spec.model_validate(freeze(other.tree))
        except ValidationError as error:
            told = error.errors(include_url=False, include_input=False)[0]
            raise StepError(f"{'.'.join(map(str, told['loc']))}: {told['msg']}", where="sweep") from error
        wrong = trouble(spec, other)
        if wrong is not None:
            raise StepError(wrong, where="sweep")
        alone = spec.hardware.model_copy(
            update={
                "devices": 1,
                "nodes": 1,
                "strategy": Slot("strategy").choose("single"),
                "launcher": Slot("launcher").choose("local"),
            }
        )
        plan = self.found.plan
        spec = spec.model_copy(update={"hardware": alone})
        return build_plan(spec, spec_path=plan.spec, sample=plan.sample).step("train")

    def _tell_why(self) -> None:
        """Say what makes this another study than the one before."""
        others = [file for file in self.folder.parent.glob(f"*/{ABOUT}") if file.parent != self.folder]
        if not others:
            return
        last = read_json(max(others, key=lambda file: file.stat().st_mtime))
        changed = [dotted(path) for path, _, _ in leaves(last, self.about)]
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        self.watch.said(f"a new study, for since the last one other is: {', '.join(changed[:3])}{more}")

    def _train(self, study: Study) -> None:
        hardware = self.found.spec.hardware
        if hardware.devices * hardware.nodes > 1:
            self.watch.said("each trial trains on one device; `mlspec run` then trains the winner on all")
        self.watch.swept(self.ended, self.sweep.trials, best(study.tried, self.metric.better))
        with Trainers(self.sweep.parallel, self.found.workspace, self.folder) as trainers:
            more = True
            while more or any(one.trial is not None for one in trainers.all.values()):
                while more and (free := trainers.free()) is not None:
                    more = self._begin(free, study)
                if any(one.trial is not None for one in trainers.all.values()):
                    trainers.listen(lambda one, word, value: self._heard(one, word, value, study))

    def _begin(self, free: Trainer, study: Study) -> bool:
        """Give a process the next trial; return whether there was one."""
        asked = study.ask()
        if asked is None:
            return False
        trial, values = asked
        self.began += 1
        paths = {one.path: values[one.name] for one in self.dimensions}
        try:
            step = self._step(paths)
        except MlspecError as wrong:
            self._end(study, trial, 0.0, reason=wrong.what)
            return True
        free.trial, free.began = trial, time.monotonic()
        plan = self.found.plan
        free.order(
            {
                "workspace": str(self.found.workspace),
                "name": plan.name,
                "metric": self.metric.kind,
                "parameters": step.parameters,
                "inputs": dict(step.inputs),
                "scratch": self._scratch(trial.number).relative_to(self.found.workspace).as_posix(),
                "logs": f"artifacts/{plan.name}/logs/sweep-{self.key}/trial-{trial.number:04}",
                "locks": locked_inputs(self.found.workspace, step),
                "checkpoint_every": step.checkpoint_every,
            }
        )
        return True

    def _scratch(self, number: int) -> Path:
        return (
            self.found.workspace / ".mlspec" / "scratch" / f"{self.found.plan.name}.sweep-{self.key}-{number}"
        )

    def _heard(self, one: Trainer, word: str, value: Any, study: Study) -> None:
        if one.trial is None:
            if word == "gone":
                self._died(value, one)
            return
        if word == "began":  # what came before was the import of libraries
            one.began = time.monotonic()
        seconds = time.monotonic() - one.began
        if word == "epoch":
            one.heard["epochs"] = value[0]
            one.order({"prune": study.report(one.trial, value[0], value[1])})
            return
        if word not in ("ended", "pruned", "fault", "gone"):
            return
        trial, one.trial = one.trial, None
        epochs = one.heard.pop("epochs", 0)
        if word == "ended":
            self._end(study, trial, seconds, value=value[0], epochs=value[1])
        elif word == "pruned":
            self._end(study, trial, seconds, epochs=epochs)
        elif word == "fault":
            if value["sort"] == "MissingError":
                raise MissingError(value["what"], where=value["where"] or "sweep", fix=value["fix"])
            self._end(study, trial, seconds, epochs=epochs, reason=value["what"])
        else:
            self._end(study, trial, seconds, epochs=epochs, reason=value)
            self._died(value, one)
            return
        self.deaths = 0

    def _died(self, how: str, one: Trainer) -> None:
        self.deaths += 1
        if self.deaths >= DEATHS:
            log = one.log.relative_to(self.found.workspace).as_posix()
            raise StepError(
                f"{self.deaths} processes that train ended one after the other; of the last: {how}",
                where="sweep",
                fix=f"what it printed lies in {log}; with less memory set sweep.parallel: 1",
            )

    def _end(self, study: Study, trial: Any, seconds: float, **told: Any) -> None:
        study.end(trial, seconds=round(seconds, 3), **told)
        shutil.rmtree(self._scratch(trial.number), ignore_errors=True)
        self.ended += 1
        tried = study.tried
        self.watch.trial(tried[trial.number], self.metric.kind)
        self.watch.swept(self.ended, self.sweep.trials, best(tried, self.metric.better))
