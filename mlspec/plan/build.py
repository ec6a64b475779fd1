"""From a spec to its plan: pure, without a clock, a network, data or DVC."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from mlspec.errors import PlanError
from mlspec.plan.baseline_of import baseline_of
from mlspec.plan.plain import plain
from mlspec.plan.plan import Plan, Step
from mlspec.plan.plugins_of import plugins_of, revisions, workspace_files
from mlspec.sdk.fields import parameters as options_of
from mlspec.sdk.fields import seconds
from mlspec.sdk.frozen import freeze
from mlspec.sdk.gate import BASELINE
from mlspec.sdk.model import TorchModel
from mlspec.sdk.slot import Slot
from mlspec.spec.evaluation import default_metrics
from mlspec.spec.gates_of import gates_of
from mlspec.spec.left_open import left_open
from mlspec.spec.spec import Spec

REVISIONS = {
    "ingest": 2, "validate": 1, "prepare": 3, "train": 3, "export": 2, "evaluate": 2, "gate": 2, "package": 1,
}  # fmt: skip
"""Raised when a step of mlspec itself gives other results for the same parameters and inputs."""


def build_plan(
    spec: Spec,
    *,
    spec_path: str = "spec.yaml",
    overlays: Sequence[str] = (),
    overrides: Sequence[str] = (),
    files: Sequence[str] = (),
    sample: int | None = None,
) -> Plan:
    """Return the plan of a spec.

    Args:
        spec: The checked spec.
        spec_path: Where it lies, relative to the workspace; relative paths inside it start at its folder.
        overlays: Files laid over it, relative to the workspace.
        overrides: What the command line set.
        files: Every file of the user that was read (spec, overlays, presets), relative to the workspace.
        sample: Rows to read at most; such a plan has pipelines of its own.

    Raises:
        PlanError: an option names something that the spec does not have.
    """
    if sample is not None and sample < 1:
        raise PlanError(f"a sample of {sample} rows is none", fix="ask for 1 row or more")
    builder = _Builder(
        spec,
        posixpath.dirname(spec_path),
        f"{spec.name}{_suffix(sample)}",
        data_pipeline(spec, sample),
        sample,
    )
    return Plan(
        name=builder.name,
        data_name=builder.data_name,
        spec=spec_path,
        overlays=tuple(overlays),
        overrides=tuple(overrides),
        files=tuple(sorted({spec_path, *overlays, *files})),
        sample=sample,
        steps=builder.steps(),
    )


def data_pipeline(spec: Spec, sample: int | None = None) -> str:
    """Return the pipeline of a spec's data steps."""
    return f"data-{spec.data.name or spec.name}{_suffix(sample)}"


def _suffix(sample: int | None) -> str:
    return "" if sample is None else f"-sample-{sample}"


def pin_features(plan: Plan, features: Mapping[str, Any], columns: Sequence[str]) -> Plan:
    """Return the plan with features in the place of `auto`.

    Args:
        plan: A plan of a spec that says `features: auto`.
        features: Each input column and its kind, as a user would write them.
        columns: The columns that they were chosen for; what is no feature was left out.
    """
    slot = Slot("feature")
    chosen = {name: slot.choose(freeze(features[name])) for name in sorted(features)}
    steps = []
    for step in plan.steps:
        if step.name in ("ingest", "validate", "prepare"):
            full = step.name == "prepare"
            data = {**step.parameters["data"], "features": plain(chosen) if full else _parsing(chosen)}
            parameters = {**step.parameters, "data": data}
            used = plugins_of(chosen) if full else ()
            parameters["revisions"] = dict(
                sorted({**step.parameters["revisions"], **revisions(used)}.items())
            )
            dependencies = tuple(sorted({*step.dependencies, *workspace_files(plugins_of(chosen))}))
            step = dataclasses.replace(step, parameters=parameters, dependencies=dependencies)
        steps.append(step)
    left_out = sorted(set(columns) - set(chosen))
    inferred = {"features": plain(chosen), "left_out": left_out}
    return dataclasses.replace(plan, steps=tuple(steps), inferred=inferred)


def _parsing(features: Any) -> Any:
    """Return what of each feature decides over how raw data is read."""
    if features == "auto":
        return "auto"
    return {
        name: {"kind": feature.kind} | {key: plain(getattr(feature, key)) for key in feature.parse_fields}
        for name, feature in sorted(features.items())
    }


def _without_gates(export: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in export.items() if name != "gates"}


class _Builder:
    def __init__(self, spec: Spec, folder: str, name: str, data_name: str, sample: int | None) -> None:
        self.spec, self.folder, self.name, self.data_name, self.sample = spec, folder, name, data_name, sample

    def steps(self) -> tuple[Step, ...]:
        return (
            *self._data_steps(),
            self._train(),
            *(self._export(name) for name in sorted(self.spec.exports)),
            *(self._evaluate(name) for name in sorted(self.spec.exports)),
            self._gate(),
            *(self._package(name) for name in sorted(self.spec.deployments)),
        )

    def _step(
        self,
        name: str,
        parameters: Mapping[str, Any],
        reads: Mapping[str, tuple[str, ...]],
        *used: Any,
        files: tuple[str, ...] = (),
        **options: Any,
    ) -> Step:
        """Make a step; `reads` maps a step's name to what of its folder matters ("" is all of it)."""
        plugins = plugins_of(*used)
        kind = name.partition("-")[0]
        own = {f"step/{kind}": REVISIONS[kind], **revisions(plugins)}
        inputs = {other: f"artifacts/{self._pipeline(other)}/{other}" for other in reads}
        watched = {
            posixpath.join(inputs[other], part).rstrip("/")
            for other, parts in reads.items()
            for part in parts
        }
        return Step(
            name=name,
            pipeline=self._pipeline(name),
            parameters=dict(sorted({**parameters, "revisions": dict(sorted(own.items()))}.items())),
            inputs=inputs,
            dependencies=tuple(sorted({*watched, *files, *workspace_files(plugins)})),
            plugins=plugins,
            memory=self.spec.data.memory,
            **options,
        )

    def _pipeline(self, step: str) -> str:
        return self.data_name if step in ("ingest", "validate", "prepare") else self.name

    def _plain(self, value: Any) -> Any:
        return plain(value, self.folder)

    def _reading(self) -> dict[str, Any]:
        """Return what of `data:` decides over which rows are read, and how."""
        data = self._plain(self.spec.data)
        kept = {key: data[key] for key in ("event_time", "ignore", "key", "max_rejects", "source", "weight")}
        kept["target"] = {key: data["target"][key] for key in ("column", "kind", "positive")}
        kept["features"] = _parsing(self.spec.data.features)
        if self.sample is not None:
            kept["sample"] = self.sample
        return dict(sorted(kept.items()))

    def _data_steps(self) -> tuple[Step, ...]:
        spec, reading = self.spec, self._reading()
        features = () if spec.data.features == "auto" else (spec.data.features,)
        source = Slot("source").choose(freeze(reading["source"]))
        watched: tuple[str, ...] | None = source.dependencies()  # type: ignore[attr-defined]
        # What a database or a URL held then is read again from what `ingest` kept of it.
        kept = () if spec.data.source.keeps is None else (spec.data.source.keeps,)
        ingest = self._step(
            "ingest", {"data": reading}, {}, spec.data.source, files=watched or (), always=watched is None
        )
        validation = self._plain(spec.validation)
        contract = validation["contract"] or self._default_contract()
        validate = self._step(
            "validate",
            {"data": reading, "validation": {"contract": contract, "rules": validation["rules"]}},
            {"ingest": ("manifest.json", *kept, "statistics.json")},
            spec.data.source,
            spec.validation,
            files=(contract,),
        )
        full = self._plain(spec.data)
        target = {key: value for key, value in full["target"].items() if key != "threshold"}
        data = {key: value for key, value in full.items() if key != "name"} | reading | {"target": target}
        data["features"] = full["features"]
        prepare = self._step(
            "prepare",
            {"seed": spec.seed, "data": dict(sorted(data.items()))} | self._looked_at(),
            {"ingest": ("manifest.json", *kept), "validate": ("passed",)},
            spec.data.source,
            spec.data.split,
            *features,
        )
        return ingest, validate, prepare

    def _from_sums(self) -> bool:
        """Return whether the training rows stay in a database."""
        model = self.spec.model
        return self.spec.data.source.computes and isinstance(model, TorchModel) and model.from_sums()

    def _looked_at(self) -> dict[str, Any]:
        """Return what else decides over which rows and columns are moved out of a database."""
        if not self.spec.data.source.computes:
            return {}
        slices, segments = self.spec.evaluation.slices, self.spec.monitoring.segments
        found = {"evaluation": {"slices": self._plain(slices)}} if slices else {}
        found |= {"monitoring": {"segments": self._plain(segments)}} if segments else {}
        return found | ({"training_rows": "sums"} if self._from_sums() else {})

    def _default_contract(self) -> str:
        # A contract inferred from a few rows must never become the reviewed one.
        name = self.spec.data.name or self.spec.name
        return f"contracts/{name}.yaml" if self.sample is None else f".mlspec/samples/{self.data_name}.yaml"

    def _train(self) -> Step:
        spec = self.spec
        uses = spec.model.obeys()
        # A model that is fitted at once has no part in devices: others are no reason to fit it again.
        hardware = (spec.hardware,) if spec.model.in_epochs() else ()
        training = {key: value for key, value in self._plain(spec.training).items() if key in uses}
        parameters = {
            "seed": spec.seed,
            "model": self._plain(spec.model),
            "training": training,
            "data": {"target": {"threshold": spec.data.target.threshold}},
        }
        if hardware:
            parameters["hardware"] = self._plain(spec.hardware)
        files: tuple[str, ...] = ()
        if left_open(training):
            # Values that are found once stand in a file of their own, which the step reads.
            files = (f"pipelines/{self.name}/found.yaml",)
            parameters["found"] = files[0]
        used = (spec.model, *(getattr(spec.training, key) for key in sorted(training)), *hardware)
        sums = ("sums",) if self._from_sums() else ()
        reads = {"prepare": ("features.json", "target.json", "shards", *sums)}
        unseen = {
            "checkpoint_every": seconds(spec.training.checkpoint.every),
            "profile": spec.training.profile,
            "launcher": options_of(spec.hardware.launcher),
        }
        step = self._step("train", parameters, reads, *used, files=files, **unseen)
        # What it needs installed is looked at before the work, though it is no parameter.
        return dataclasses.replace(step, plugins=(*step.plugins, spec.hardware.launcher))

    def _export(self, name: str) -> Step:
        # Its gates are the step gate's: another bound is no reason to export again.
        export = self.spec.exports[name].model_copy(update={"gates": ()})
        parameters = {
            "name": self.spec.name,
            "exports": {name: _without_gates(self._plain(export))},
            "model": self._plain(self.spec.model),
        }
        reads = {"prepare": ("",), "train": ("",)}
        used = (export, self.spec.model, self.spec.training.calibration)
        return self._step(f"export-{name}", parameters, reads, *used)

    def _evaluate(self, name: str) -> Step:
        evaluation = self.spec.evaluation
        metrics = evaluation.metrics
        if metrics is None:
            metrics = default_metrics(self.spec.data.target.kind, self.spec.training.loss)
        parameters = {
            "evaluation": {"metrics": self._plain(metrics), "slices": self._plain(evaluation.slices)}
        }
        reads = {f"export-{name}": self.spec.exports[name].measured(), "prepare": ("rows/test.parquet",)}
        return self._step(f"evaluate-{name}", parameters, reads, metrics)

    def _gate(self) -> Step:
        gates = tuple(gate for _, gate in gates_of(self.spec))
        told: tuple[str, ...] = ("intervals.json", "metrics.json")
        if any(gate.slice_names() for gate in gates):
            told += ("slices.json",)
        reads = {f"evaluate-{name}": told for name in sorted(self.spec.exports)}
        compared = any(gate.held_against() == BASELINE for gate in gates)
        baseline = self._baseline() if compared else None
        parameters = {
            "evaluation": {"gates": self._plain(self.spec.evaluation.gates)},
            "baseline": baseline,
        }
        own: dict[str, list[Any]] = {}
        for place, gate in gates_of(self.spec):
            if place[0] == "exports":
                own.setdefault(str(place[1]), []).append(self._plain(gate))
        if own:
            parameters["exports"] = {name: {"gates": found} for name, found in own.items()}
        return self._step("gate", parameters, reads, gates, files=(baseline,) if baseline else ())

    def _baseline(self) -> str:
        # Numbers of a few rows are held against no reviewed ones.
        return baseline_of(self.name) if self.sample is None else f".mlspec/samples/{self.name}.json"

    def _package(self, name: str) -> Step:
        deployment = self.spec.deployments[name]
        if deployment.export not in self.spec.exports:
            raise PlanError(
                f"there is no export called '{deployment.export}'",
                where=f"deployments.{name}.export",
                fix=f"one of {', '.join(sorted(self.spec.exports))}",
            )
        reads = {
            f"export-{deployment.export}": ("",),
            f"evaluate-{deployment.export}": ("answers.json", "metrics.json"),
            "gate": ("passed",),
            "prepare": ("reference.json",),
        }
        parameters: dict[str, Any] = {
            "name": self.spec.name,
            "deployments": {name: self._plain(deployment)},
        }
        if self.spec.monitoring.segments:
            parameters["monitoring"] = {"segments": self._plain(self.spec.monitoring.segments)}
            reads["prepare"] += ("rows/test.parquet",)
        return self._step(f"package-{name}", parameters, reads, deployment)
