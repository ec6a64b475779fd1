"""DeepSpeed's engine, as training steps use it."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from mlspec.engine.training.scaled import check_scale

from ._scale import LossScale


class Zero:
    """A module and its optimiser in DeepSpeed's hands.

    Args:
        module: On its device, with the same weights in every process.
        device: This process's own.
        build: Makes torch's optimiser over weights.
        configuration: DeepSpeed's.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        device: torch.device,
        build: Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer],
        configuration: Mapping[str, Any],
    ) -> None:
        self._module, self._device = module, device
        self._stage = configuration["zero_optimization"]["stage"]
        # Fused kernels need a state of their own kind, and parts are moved one after the other.
        self.optimizer = build(module.parameters())
        for group in self.optimizer.param_groups:
            group["fused"] = None
        # DeepSpeed asks the environment of this process for its device, while it trains as well.
        os.environ.update(LOCAL_RANK=str(device.index or 0), DS_ACCELERATOR=device.type)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import deepspeed

            logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
            # An operator of its own for processes of one machine without GPUs: it would be compiled here.
            deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
            self._gathering = deepspeed.zero.GatheredParameters
            self._engine, *_ = deepspeed.initialize(
                model=module, optimizer=self.optimizer, config=dict(configuration), dist_init_required=False
            )
        self.score: Callable[..., torch.Tensor] = self._engine
        self._scale = (
            LossScale() if configuration.get("torch_autocast", {}).get("dtype") == "float16" else None
        )
        self._skipped = 0
        if self._scale is not None:
            self._engine.optimizer.torch_autocast_gradscaler = None
            self._engine.optimizer.loss_scaler = self._scale

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of a part of a batch; after the last one they are those of all processes."""
        self._engine.set_gradient_accumulation_boundary(last)
        self._engine.backward(loss)

    def step(self) -> bool:
        """Move the weights unless a gradient overflowed, forget the gradients, and return whether it was
        done.
        """
        if self._scale is None:
            self._engine.step()
            return True
        zero = self._engine.optimizer
        zero.check_overflow()
        overflowed = bool(zero.overflow)
        self._engine.step()
        self._scale.after(overflowed)
        self._skipped += overflowed
        return not overflowed

    def skipped(self) -> int:
        """Return the steps that were left out since this was last asked.

        Raises:
            StepError: no scale is small enough for the gradients.
        """
        count, self._skipped = self._skipped, 0
        if count and self._scale is not None:
            check_scale(self._scale.cur_scale)
        return count

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Let every process see the weights whole, and keep what is changed in all of them alike."""
        if self._stage < 3:
            yield
            return
        with ExitStack() as gathered:
            # One by one: of several on their way DeepSpeed (0.19) waits for the last alone, and on a CPU
            # others may come behind it.
            for weight in self._module.parameters():
                gathered.enter_context(self._gathering([weight], modifier_rank=0))
            yield

    def weights(self, keep: bool) -> dict[str, Any]:
        """Return all weights, whole and on the CPU, or None in the place of each."""
        own = dict(self._module.named_parameters(remove_duplicate=False))
        found: dict[str, Any] = {}
        for name, value in self._module.state_dict().items():
            if self._stage == 3 and name in own:
                with self._gathering([own[name]]):
                    found[name] = own[name].detach().cpu().clone() if keep else None
            else:
                found[name] = value.detach().cpu().clone() if keep else None
        return found

    def gradients(self, keep: bool) -> dict[str, Any]:
        """Return none: a step has let go of them."""
        return {}

    def copied(self) -> dict[str, Any]:
        """Return all weights, whole and on the CPU."""
        return self.weights(True)

    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put whole weights back, for what comes after the last step."""
        with self.gathered():
            self._module.load_state_dict(dict(weights))

    def state(self, keep: bool) -> dict[str, Any]:
        """Return the optimiser's state as torch has it, of whole weights; all processes must ask."""
        from deepspeed.utils import safe_get_full_optimizer_state

        state: dict[int, dict[str, Any]] = {}
        for place, weight in enumerate(self._module.parameters()):
            entry: dict[str, Any] = {}
            for name, value in self._kept().items():
                if _whole(value):
                    full = safe_get_full_optimizer_state(weight, name)
                    entry[name] = full.detach().cpu().clone() if keep and full is not None else None
                else:
                    entry[name] = value.clone() if isinstance(value, torch.Tensor) else value
            if entry:
                state[place] = entry
        groups = [
            {name: value for name, value in group.items() if name != "params"}
            for group in self.optimizer.param_groups
        ]
        made = {"state": state, "param_groups": [groups[0] | {"params": list(range(self._count))}]}
        return {"optimizer": made, "scale": None if self._scale is None else self._scale.state()}

    def resume(self, found: Mapping[str, Any]) -> None:
        """Go on from a state of whole weights, parted anew."""
        if self._scale is not None:
            self._scale.resume(found["scale"])
        found = found["optimizer"]
        now = self.optimizer.param_groups[0]
        then = found["param_groups"][0]
        now.update({name: then[name] for name in then if name not in ("params", "fused", "foreach")})
        if not found["state"]:
            return
        zero, first = self._engine.optimizer, found["state"][0]
        whole = self._stage < 3
        for part in zero.single_partition_of_fp32_groups if whole else zero.fp32_partitioned_groups_flat:
            self.optimizer.state[part] = {
                name: torch.zeros_like(part) if _whole(value) else _copied(value)
                for name, value in first.items()
            }
        if whole:
            zero._lazy_init_hp_params_optimizer_state()
        for place, weight in enumerate(self._module.parameters()):
            for name, value in found["state"][place].items():
                if _whole(value):
                    self._put(weight, name, value)

    def _put(self, weight: torch.nn.Parameter, name: str, value: torch.Tensor) -> None:
        """Put this process's part of a whole value into the optimiser's state of a weight."""
        from deepspeed.utils import safe_set_full_optimizer_state, safe_set_local_optimizer_state
        from torch.distributed import get_rank, get_world_size

        value = value.to(self._device)
        if self._stage < 3:
            safe_set_full_optimizer_state(weight, value, name)
            return
        length = weight.ds_tensor.numel()  # type: ignore[attr-defined]
        padded = value.new_zeros(length * get_world_size())
        padded[: value.numel()] = value.reshape(-1)
        safe_set_local_optimizer_state(weight, padded[length * get_rank() :][:length], name)

    def _kept(self) -> Mapping[str, Any]:
        return next(iter(self.optimizer.state.values()), {})

    @property
    def _count(self) -> int:
        return sum(1 for _ in self._module.parameters())


def _whole(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() > 0


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value
