"""What will be done, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlspec.sdk.plugin import Plugin


@dataclass(frozen=True)
class Step:
    """One piece of work: parameters, folders it reads, the folder it writes. Paths start at the workspace."""

    name: str
    """Full name, such as `export-main`."""
    pipeline: str
    """`data-<data.name>` for the shared data steps, else the spec's name."""
    parameters: Mapping[str, Any]
    """Plain data with the paths of the spec, keys sorted."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """The folder of each step that is read, by the step's full name."""
    dependencies: tuple[str, ...] = ()
    """Files and folders whose change means work, sorted."""
    always: bool = False
    """True where DVC cannot see the source: the step looks at it in each run."""
    plugins: tuple[Plugin, ...] = field(default=(), compare=False, repr=False)
    """The plug-ins at work in it; their options are in the parameters."""
    checkpoint_every: float = field(default=300.0, compare=False)
    """Seconds between checkpoints of a training; no parameter, because it changes no result."""
    profile: bool = field(default=False, compare=False)
    """Whether a training tells where its time went; no parameter, because it changes no result."""
    launcher: Mapping[str, Any] = field(default_factory=lambda: {"kind": "local"}, compare=False)
    """How the processes of a training are started; no parameter, because it changes no result. It stands in
    plan.yaml all the same, for `dvc repro`.
    """
    memory: int | None = field(default=None, compare=False)
    """Bytes that the processes of a run may hold (`data.memory`); no parameter, because it changes no result.
    It stands in plan.yaml all the same, for `dvc repro`.
    """

    @property
    def kind(self) -> str:
        """What the step does: the file in `mlspec/steps/` whose name starts with it."""
        return self.name.partition("-")[0]

    @property
    def output(self) -> str:
        """The folder that the step writes."""
        return f"artifacts/{self.pipeline}/{self.name}"


@dataclass(frozen=True)
class Plan:
    """Every step of a spec, in the order of work."""

    name: str
    """The pipeline of this model: the spec's name, with the sample's size where there is one."""
    data_name: str
    """The pipeline of the data steps."""
    spec: str
    """Path of the spec, from the workspace."""
    overlays: tuple[str, ...]
    overrides: tuple[str, ...]
    files: tuple[str, ...]
    """The files of the user that were read: the spec, overlays, presets. Sorted."""
    sample: int | None
    """Rows that are read at most, or None for all."""
    steps: tuple[Step, ...]
    inferred: Mapping[str, Any] = field(default_factory=dict)
    """What was chosen for `features: auto` (`features`, `left_out`); empty where the spec says it all."""

    @property
    def open(self) -> bool:
        """Return whether `features: auto` still waits for a look at the data."""
        return bool(self.step("ingest").parameters["data"]["features"] == "auto")

    @property
    def guard(self) -> Step:
        """Return the stage that keeps `dvc repro` from running a plan older than its spec."""
        parameters: dict[str, Any] = {
            "overlays": list(self.overlays),
            "overrides": list(self.overrides),
            "spec": self.spec,
        }
        if self.sample is not None:
            parameters["sample"] = self.sample
        return Step(name="plan", pipeline=self.name, parameters=parameters, dependencies=self.files)

    def step(self, name: str) -> Step:
        """Return the step of a full name.

        Raises:
            KeyError: the plan has no such step.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def needs(self, name: str) -> frozenset[str]:
        """Return the full names of all steps that a step reads from, near and far."""
        near = tuple(self.step(name).inputs)
        return frozenset(near).union(*(self.needs(other) for other in near))
