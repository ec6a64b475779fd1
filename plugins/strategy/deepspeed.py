"""Optimiser, gradients and weights parted over devices by DeepSpeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from mlspec.sdk.strategy import Driven, Engine, Strategy

if TYPE_CHECKING:
    import torch

EVEN = 64
"""Numbers that what is sent at once is a multiple of."""


class Deepspeed(Strategy):
    """ZeRO: each device has a part of the optimiser's state (stage 1), of the gradients too (2), of the
    weights too (3), and a part of each batch.

    DeepSpeed's configuration is made from the spec, and `mlspec plan` shows it. `training.batch_size` stays
    the rows of one optimiser step over all devices.

    Source: Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", 2020.
    """

    requires: ClassVar[Mapping[str, str]] = {"deepspeed": "deepspeed"}
    stage: Literal[1, 2, 3] = 2
    """What is parted: 1 the optimiser's state, 2 gradients too, 3 weights too."""
    offload_optimizer: Literal["none", "cpu"] = "none"
    """Where the optimiser's state lies: `cpu` moves it, and the step, to the memory of the machine."""
    offload_parameters: Literal["none", "cpu"] = "none"
    """Where weights lie that are not at work; only stage 3 parts them."""
    bucket: int = Field(default=50_000_000, ge=1000)
    """Numbers that are sent at once; more are faster and take more memory."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.offload_parameters != "none" and self.stage < 3:
            raise ValueError("offload_parameters needs stage: 3, the one that parts weights")
        return self

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return each stage."""
        return tuple(cls.revive({"stage": stage}) for stage in (1, 2, 3))

    @property
    def parted(self) -> frozenset[str]:
        """Return what each process has a part of only."""
        return frozenset(("optimizer", "gradients", "parameters")[: self.stage])

    @property
    def elsewhere(self) -> frozenset[str]:
        """Return what lies in the memory of the machine and not of the device."""
        told = {"optimizer": self.offload_optimizer, "parameters": self.offload_parameters}
        return frozenset(what for what, place in told.items() if place != "none")

    def buffers(self, weights: int, devices: int) -> int:
        """Return what is sent, received, and its own copy of the weights that a device moves."""
        copy = 0 if "optimizer" in self.elsewhere else 4 * -(-weights // devices)
        bucket = self._bucket(weights)
        live = 4 * min(weights, 20 * bucket) if self.stage == 3 else 0
        # Where all gradients go into one bucket, they lie in it and nowhere else.
        sent = 4 * bucket if self.stage < 3 and bucket >= weights else 2 * 4 * bucket
        # Then the optimiser moves the part as one tensor, with room for two more of its size.
        return copy + live + max(sent, 2 * copy)

    def _bucket(self, weights: int | None) -> int:
        # What is sent at once lies ready in full, however small the model is; all parts are of even lengths.
        return (self.bucket if weights is None else min(self.bucket, weights)) // EVEN * EVEN + EVEN

    def configuration(self, driven: Driven, devices: int, weights: int | None) -> dict[str, Any]:
        """Return DeepSpeed's own configuration."""
        bucket = self._bucket(weights)
        zero: dict[str, Any] = {
            "stage": self.stage,
            "reduce_bucket_size": bucket,
            "allgather_bucket_size": bucket,
            # On a CPU what is on its way would be read before it has come (DeepSpeed 0.19).
            "overlap_comm": False,
        }
        if self.offload_optimizer != "none":
            zero["offload_optimizer"] = {"device": self.offload_optimizer}
        if self.stage == 3:
            # Small weights that are kept whole are not sent anew after a step (DeepSpeed 0.19, on a CPU).
            zero["stage3_param_persistence_threshold"] = 0
            zero["stage3_prefetch_bucket_size"] = bucket
            zero["stage3_max_live_parameters"] = 20 * bucket
            if self.offload_parameters != "none":
                zero["offload_param"] = {"device": self.offload_parameters}
        found: dict[str, Any] = {
            "train_micro_batch_size_per_gpu": -(-driven.batch_size // devices),
            # Parts of a batch are counted by mlspec, which tells DeepSpeed which one is the last.
            "gradient_accumulation_steps": 1,
            "gradient_clipping": driven.clip_norm or 0.0,
            "zero_optimization": zero,
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
            "steps_per_print": 2**31 - 1,
        }
        if driven.precision != "fp32":
            # Scored in half the bytes, as other strategies do; gradients are summed over devices in single
            # precision. What the loss is multiplied by in fp16 is mlspec's, and no part of this.
            found["torch_autocast"] = {
                "enabled": True,
                "dtype": {"bf16": "bfloat16", "fp16": "float16"}[driven.precision],
                "lower_precision_safe_modules": [],
            }
        return found

    def drive(self, module: torch.nn.Module, device: torch.device, driven: Driven) -> Engine:
        """Return DeepSpeed's engine over the module."""
        from torch.distributed import get_world_size

        from ._zero import Zero

        weights = sum(weight.numel() for weight in module.parameters())
        told = self.configuration(driven, get_world_size(), weights)
        return Zero(module, device, driven.optimizer, told)

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Refuse: the engine that `drive` gives takes its place."""
        raise NotImplementedError("DeepSpeed drives the optimiser as well")
