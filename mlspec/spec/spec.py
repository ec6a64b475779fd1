"""The whole of a spec as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlspec.sdk.deployment import Deployment
from mlspec.sdk.export import Export
from mlspec.sdk.fields import Name, NoEffect
from mlspec.sdk.frozen import Section
from mlspec.sdk.model import Model
from mlspec.sdk.slot import Slot
from mlspec.spec.data import Data
from mlspec.spec.evaluation import Evaluation
from mlspec.spec.hardware import Hardware
from mlspec.spec.monitoring import Monitoring
from mlspec.spec.sweep import Sweep
from mlspec.spec.training import Training
from mlspec.spec.validation import Validation


class Spec(Section):
    """One model's whole life."""

    apiVersion: Literal["mlspec/v1"]
    """The version of this language."""
    name: Name
    """The model's name: the folder under pipelines/ and artifacts/."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Start of every random choice."""
    data: Data
    """Where rows come from, what each column is, and how they are split."""
    validation: Validation = Validation()
    """What must hold of the data before anything is trained."""
    model: Annotated[Model, Slot("model")]
    """What learns."""
    training: Training = Field(default_factory=Training, validate_default=False)
    """How it learns."""
    hardware: Hardware = Field(default_factory=Hardware, validate_default=False)
    """On what it is trained."""
    evaluation: Evaluation = Evaluation()
    """How good the exported file must be."""
    exports: Mapping[Name, Annotated[Export, Slot("export", default="onnx")]] = Field(  # type: ignore[call-overload]
        default_factory=lambda: {"main": Slot("export").choose("onnx")}, validate_default=False
    )
    """What the model leaves as, by name."""
    deployments: Mapping[Name, Annotated[Deployment, Slot("deployment")]] = Field(default_factory=dict)
    """Where it answers, by name."""
    monitoring: Monitoring = Monitoring()
    """What watches it."""
    sweep: Annotated[Sweep | None, NoEffect()] = None
    """What `mlspec sweep` searches; no other verb looks at it."""
