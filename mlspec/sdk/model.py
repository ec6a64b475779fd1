"""What learns. Two families: torch modules that Lightning trains, and models fitted by a library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlspec.sdk.context import silent
from mlspec.sdk.contract import FittedTarget, ModelInputs, TargetKind
from mlspec.sdk.encoded import Encoded
from mlspec.sdk.plugin import Plugin
from mlspec.sdk.sums import Sums
from mlspec.sdk.training import Loss

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from mlspec.engine.builder import Builder


class Model(Plugin):
    """Maps encoded rows to raw scores `[rows, target.width] float32`: logits, or a standardised value."""

    slot: ClassVar[str] = "model"
    uses: ClassVar[frozenset[str]]
    """Keys of `training:` that this model obeys; a user who sets another is told so."""
    losses: ClassVar[frozenset[str] | None] = None
    """Kinds of `training.loss` that it can make small; None: any."""
    as_query: ClassVar[bool] = False
    """Whether its nodes are among those that `mlspec.engine.querying` writes as SQL."""

    def obeys(self) -> frozenset[str]:
        """Return the keys of `training:` that this one obeys, with the options that it has."""
        return type(self).uses

    def in_epochs(self) -> bool:
        """Return whether it is trained in epochs, on the hardware that the spec names; else it is fitted at
        once, on the CPU, and nothing under `hardware` is a reason to fit it again.
        """
        return False

    def targets(self) -> tuple[TargetKind, ...]:
        """Return the kinds of target that it learns, with the options that it has."""
        return ("binary", "category", "number")

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append this trained model to a graph and return the name of its scores tensor.

        Args:
            builder: Holds `mlspec/numbers [rows, numbers] float32` and `mlspec/codes [rows, columns] int64`.
            folder: What the `train` step wrote.
            inputs: Shape of encoded rows.
            target: What is predicted.
        """
        raise NotImplementedError


class TorchModel(Model):
    """A `torch.nn.Module`, trained by Lightning."""

    requires: ClassVar[Mapping[str, str]] = {"torch": "train", "pytorch_lightning": "train"}
    uses: ClassVar[frozenset[str]] = frozenset(
        {
            "epochs",
            "batch_size",
            "loss",
            "optimizer",
            "schedule",
            "early_stopping",
            "class_weights",
            "sampling",
            "accumulate",
            "clip_norm",
            "calibration",
            "checkpoint",
            "profile",
        }
    )

    whole_batch: ClassVar[bool] = False
    """Whether a row's answer depends on other rows of its batch while it trains, as where rows attend to each
    other: they cannot be shared out over devices. Batch normalisation is no reason: it is synchronised.
    """

    def cut_widths(self) -> Mapping[str, int]:
        """Return the options that say how wide is what `tensor_parallel` divides by the devices, with their
        values; none where nothing may be cut.

        A module that may be cut has a `cut()` that names its layers: `{"layers.0": "outputs", "layers.2":
        "inputs"}` cuts a linear layer by its outputs, and the one that takes them by its inputs. The outputs
        of `("outputs", 3)` are three parts beside each other, each of which is cut.
        """
        return {}

    def in_epochs(self) -> bool:
        """Return whether it is trained in epochs: always, where `at_once` does not say otherwise."""
        return not self.at_once()

    def at_once(self) -> bool:
        """Return whether `solve` or `solve_sums` finds the weights, without epochs and on one device."""
        return False

    def from_sums(self) -> bool:
        """Return whether the weights are found of sums over the rows, by `solve_sums`; then a server that
        computes makes them, and no training row leaves it.
        """
        return False

    def solve(
        self,
        rows: Encoded,
        inputs: ModelInputs,
        target: FittedTarget,
        class_weights: tuple[float, ...] | None = None,
    ) -> torch.nn.Module:
        """Return the module with the weights that fit encoded rows best, where `at_once` says so and
        `from_sums` does not.
        """
        raise NotImplementedError

    def solve_sums(self, sums: Sums, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module with the weights that fit the rows of some sums best, where `from_sums` says
        so.
        """
        raise NotImplementedError

    def module(self, inputs: ModelInputs, target: FittedTarget) -> torch.nn.Module:
        """Return the module: `forward([rows, k] float32, [rows, m] int64) -> [rows, width] float32`."""
        raise NotImplementedError

    def settle(self, module: torch.nn.Module, counts: Sequence[torch.Tensor]) -> None:
        """Give weights that no training row can reach a sensible value.

        Each part of the module that has a `settle(counts)` of its own is asked; nothing else is changed.
        Called before each look at the val split and when training ends.

        Args:
            module: What `module` returned, trained.
            counts: For each code column, the training rows of each code, `[size] int64`.
        """
        for part in module.modules():
            settle = getattr(part, "settle", None)
            if settle is not None:
                settle(counts)

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append the module as torch's exporter sees it; one that knows its own nodes is written faster."""
        from mlspec.sdk.torch_graph import append_module

        return append_module(self.module(inputs, target), folder / "weights.safetensors", builder, inputs)


@dataclass(frozen=True)
class FitOptions:
    """What a fitted model is told besides the rows."""

    seed: int
    class_weights: tuple[float, ...] | None
    """One factor a class, or None."""
    threads: int
    loss: Loss | None = None
    """What is made small, of the model's `losses`; None: what its library takes for this kind of target."""
    progress: Callable[[float, float | None, str], None] = silent
    """Told `(done, total or None, unit)` now and then."""


class FittedModel(Model):
    """A model that a library fits at once; it leaves as an ONNX sub-graph, never as a pickle."""

    uses: ClassVar[frozenset[str]] = frozenset({"class_weights", "calibration"})

    def fit(
        self,
        train: Encoded,
        val: Encoded | None,
        inputs: ModelInputs,
        target: FittedTarget,
        options: FitOptions,
    ) -> Fitted:
        """Fit on encoded rows."""
        raise NotImplementedError

    def append(self, builder: Builder, folder: Path, inputs: ModelInputs, target: FittedTarget) -> str:
        """Append the graph that `fit` returned."""
        import onnx

        names = {"mlspec/numbers": "mlspec/numbers", "mlspec/codes": "mlspec/codes"}
        return builder.splice(onnx.load(folder / "model.onnx"), names, "model")["mlspec/scores"]


@dataclass(frozen=True)
class Fitted:
    """A fitted model, before it is forgotten: its graph, and its own answers for the parity gate."""

    onnx: bytes
    """A serialised model: `mlspec/numbers`, `mlspec/codes` in, `mlspec/scores [rows, width] float32` out."""
    predict: Any
    """`(Encoded) -> [rows, width]` raw scores by the library itself."""
    history: tuple[Mapping[str, float], ...] = ()
    """One mapping an iteration, as far as the library tells."""

    def scores(self, rows: Encoded) -> NDArray[np.float32]:
        """Return the library's own raw scores, `[rows, width] float32`."""
        answer: NDArray[np.float32] = self.predict(rows)
        return answer
