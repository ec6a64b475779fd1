"""`hardware:`: on what a model is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlspec.sdk.fields import NoEffect
from mlspec.sdk.frozen import Section
from mlspec.sdk.launcher import Launcher
from mlspec.sdk.slot import Slot
from mlspec.sdk.strategy import Strategy


class Hardware(Section):
    """On what a model is trained."""

    accelerator: Literal["auto", "cpu", "cuda", "tpu"] = "auto"
    """`auto` takes CUDA where there is a device; what it became is in the run's record. `tpu` goes with the
    strategy `xla`.
    """
    devices: int = Field(default=1, ge=1)
    """Devices a node."""
    nodes: int = Field(default=1, ge=1)
    """Machines."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Number format that batches are scored in while training. Weights, losses and all that is exported stay
    in single precision. With `fp16` losses are scaled, and a step whose gradients overflow is left out.
    """
    strategy: Annotated[Strategy, Slot("strategy", default="single")] = Field(  # type: ignore[assignment]
        default_factory=lambda: Slot("strategy").choose("single"), validate_default=False
    )
    """How training is spread over devices."""
    launcher: Annotated[Launcher, Slot("launcher", default="local"), NoEffect()] = Field(  # type: ignore[assignment]
        default_factory=lambda: Slot("launcher").choose("local"), validate_default=False
    )
    """How training processes are started."""
