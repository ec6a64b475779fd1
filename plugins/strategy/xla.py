"""All devices of a TPU host, in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.strategy import Accelerator, Precision, Strategy

if TYPE_CHECKING:
    import torch


class Xla(Strategy):
    """One program for all devices of a TPU host: each has the whole model, and a part of each batch.

    One process hands out the work, and XLA's compiler says what devices tell each other: means and batch
    normalisation are those of the whole batch. `training.batch_size` stays the rows of one optimiser step
    over all devices. It needs the extra `tpu`, in an environment of its own.

    Source: Xu et al., "GSPMD: General and Scalable Parallelization for ML Computation Graphs", 2021, by
    torch-xla's `mark_sharding`.
    """

    accelerators: ClassVar[tuple[Accelerator, ...]] = ("tpu",)
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "bf16")
    max_nodes: ClassVar[int | None] = 1
    one_process: ClassVar[bool] = True

    def begin(self, devices: int) -> None:
        """Let several devices be seen as one."""
        from importlib.util import find_spec

        # Where torch-xla is missing, that is told in the check that follows.
        if devices > 1 and find_spec("torch_xla") is not None:
            from ._xla import as_one

            as_one()

    def lightning(self) -> Any:
        """Return Lightning's strategy for one XLA device, which may stand for all of them."""
        from ._xla import one_program

        return one_program()

    def spread(self, module: torch.nn.Module, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return the module, for rows of which each device takes a part."""
        from ._xla import shared_out

        spread: Callable[..., torch.Tensor] = shared_out(module)
        return spread
