"""The memory that a device needs to train, computed before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks

from mlspec.engine.training.chunks import BATCHES
from mlspec.engine.training.gradients import HALVES
from mlspec.engine.training.loss import TRUTH, loss
from mlspec.engine.training.recompute import recompute
from mlspec.sdk.contract import FittedTarget, ModelInputs
from mlspec.sdk.model import TorchModel
from mlspec.sdk.strategy import Precision, Strategy
from mlspec.sdk.training import Loss, Optimizer


@dataclass(frozen=True)
class Memory:
    """Bytes of one device."""

    parameters: int
    """Of its weights, as it holds them between steps."""
    gradients: int
    optimizer: int
    """Of the optimiser's state."""
    gathered: int
    """Of weights that are gathered from other devices for a while."""
    activations: int
    """Most bytes of a step beside weights and the optimiser's state, less the gradients."""
    batches: int
    """Of the rows that lie ready: sixteen batches."""

    @property
    def total(self) -> int:
        """Return the most that is needed at once."""
        weights = self.parameters + self.gradients + self.optimizer + self.gathered
        return weights + self.activations + self.batches


@dataclass(frozen=True)
class Way:
    """How a batch is scored."""

    parts: int = 1
    precision: Precision = "fp32"
    recompute: bool = False
    """Whether blocks are computed again for their gradients."""


def memory(
    model: TorchModel,
    inputs: ModelInputs,
    target: FittedTarget,
    optimizer: Optimizer,
    strategy: Strategy,
    batch_size: int,
    devices: int = 1,
    chosen: Loss | None = None,
    way: Way = Way(),
) -> Memory:
    """Return what each device needs.

    A step is made on tensors that have shapes and no content. What autograd keeps of its forward pass is
    listed in order; its backward pass lets go of it in the opposite order while it makes gradients, and needs
    room for the gradients of what a layer took and gave beside it.

    Args:
        model: What is trained.
        inputs: Shape of encoded rows.
        target: What is predicted.
        optimizer: What moves the weights.
        strategy: How it is spread.
        batch_size: Rows an optimiser step, of all devices together.
        devices: How many devices.
        chosen: The loss; that of the target's kind where None.
        way: How a batch is scored.
    """
    alike = strategy.alike(devices)
    rows = -(-batch_size // (devices // alike))
    parts = min(way.parts, rows)
    with FakeTensorMode():
        module = model.module(inputs, target)
        weights = {id(weight): _Weight(weight) for weight in module.parameters()}
        if devices > 1 and "parameters" in strategy.parted:
            _part(module, weights, devices, strategy)
        kept = _Kept(weights, alike)
        given = _rows(inputs, target, -(-rows // parts))
        if way.recompute:
            recompute(module)
        # A batch is a view of the rows that lie ready.
        kept.seen.update({tensor.untyped_storage()._cdata: tensor for tensor in given})
        with _cut(module, kept, strategy, devices), saved_tensors_hooks(kept.pack, lambda value: value):
            with torch.autocast("cpu", HALVES.get(way.precision), enabled=way.precision != "fp32"):
                scores = module(given[0], given[1])
            here = loss(target.kind, scores.float(), given[2], None, chosen=chosen)
        torch.autograd.backward(here)
        made = optimizer.build(module.parameters())
        made.step()
        state = _state(made, weights)
    here_batches = BATCHES * parts * sum(_bytes(tensor) for tensor in given)
    gradients = sum(weight.here for weight in weights.values() if weight.trained)
    found = Memory(
        parameters=sum(weight.here for weight in weights.values()),
        gradients=gradients,
        optimizer=state,
        gathered=_gathered(module, strategy, devices),
        activations=max(0, kept.most() - gradients),
        batches=here_batches,
    )
    if devices > 1:
        found = _parted(found, strategy, devices, sum(weight.tensor.numel() for weight in weights.values()))
    if not way.recompute:
        return found
    # One block at a time is whole while its gradient is made.
    given_whole = (model, inputs, target, optimizer, strategy, batch_size, devices, chosen)
    whole = memory(*given_whole, way=replace(way, recompute=False))
    more = max(0, whole.activations - found.activations) // max(1, len(module.blocks))  # type: ignore[arg-type]
    return replace(found, activations=found.activations + more)


def _parted(found: Memory, strategy: Strategy, devices: int, weights: int) -> Memory:
    """Return the memory where parts of it lie on other devices, or beside the devices."""
    # Where the weights are parted, what is made of them was counted in parts already.
    parts = frozenset() if "parameters" in strategy.parted else strategy.parted
    sizes = {name: -(-getattr(found, name) // devices) for name in parts}
    sizes |= dict.fromkeys(strategy.elsewhere, 0)
    return replace(found, **sizes, gathered=found.gathered + strategy.buffers(weights, devices))


def weights_of(model: TorchModel, inputs: ModelInputs, target: FittedTarget) -> int:
    """Return how many numbers a model learns."""
    with FakeTensorMode():
        return sum(weight.numel() for weight in model.module(inputs, target).parameters())


@dataclass
class _Weight:
    tensor: torch.nn.Parameter
    part: float = 1.0
    """Share of it that a device holds."""

    @property
    def here(self) -> int:
        return round(_bytes(self.tensor) * self.part)

    @property
    def trained(self) -> bool:
        return self.tensor.requires_grad


@dataclass
class _Kept:
    """What autograd keeps of a forward pass, in its order."""

    weights: dict[int, _Weight]
    parts: int
    """Over how many devices a layer is cut."""
    cut: bool = False
    """Whether the layers at work now are cut over the devices."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Of each that is kept: its own bytes, where it is new; the bytes of the weight that it is."""
    widest: list[int] = field(default_factory=list)
    seen: dict[Any, torch.Tensor] = field(default_factory=dict)

    def pack(self, value: torch.Tensor) -> torch.Tensor:
        """Note a tensor that is kept."""
        weight = next((one for one in self.weights.values() if _same(one.tensor, value)), None)
        key = value.untyped_storage()._cdata
        new = key not in self.seen
        self.seen[key] = value  # held, so that no other takes its place in memory
        size = _bytes(value) // (self.parts if self.cut else 1)
        gradient = weight.here if weight is not None and weight.trained and new else 0
        self.sizes.append((size if new and weight is None else 0, gradient))
        self.widest.append(size if weight is None and value.is_floating_point() else 0)
        return value

    def most(self) -> int:
        """Return the most bytes of kept tensors, gradients and what a backward step needs beside them."""
        made = sum(weight.here for weight in self.weights.values() if weight.trained)
        live, most = sum(size for size, _ in self.sizes), made
        late = 0
        for (size, gradient), width in zip(reversed(self.sizes), reversed(self.widest), strict=True):
            late += gradient
            most = max(most, live + late + 2 * width)
            live -= size
        return most


def _same(weight: torch.Tensor, value: torch.Tensor) -> bool:
    return bool(weight.untyped_storage()._cdata == value.untyped_storage()._cdata)


def _bytes(value: torch.Tensor) -> int:
    return value.numel() * value.element_size()


def _rows(inputs: ModelInputs, target: FittedTarget, rows: int) -> tuple[torch.Tensor, ...]:
    return (
        torch.empty(rows, inputs.numbers),
        torch.empty(rows, len(inputs.sizes), dtype=torch.int64),
        torch.empty(rows, dtype=TRUTH[target.kind]),
    )


def _state(optimizer: torch.optim.Optimizer, weights: dict[int, _Weight]) -> int:
    total = 0
    for weight, entry in optimizer.state.items():
        for value in entry.values():
            if isinstance(value, torch.Tensor):
                same = value.shape == weight.shape and id(weight) in weights
                total += round(_bytes(value) * (weights[id(weight)].part if same else 1))
    return total


def _part(module: torch.nn.Module, weights: dict[int, _Weight], devices: int, strategy: Strategy) -> None:
    """Note of each weight the share that a device holds."""
    alike = strategy.alike(devices)
    if alike == 1:
        for weight in weights.values():
            # Cut by its first axis, in parts as equal as they can be.
            first = weight.tensor.shape[0] if weight.tensor.dim() else 1
            weight.part = -(-first // devices) / max(1, first)
        return
    for part, way in _cuts(module):
        for name, tensor in part.named_parameters(recurse=False):
            if way != "inputs" or name != "bias":
                weights[id(tensor)].part = 1 / alike


def _cuts(module: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, Any]]:
    for part in module.modules():
        cut = getattr(part, "cut", None)
        for name, way in ({} if cut is None else cut()).items():
            yield part.get_submodule(name), way


@contextmanager
def _cut(module: torch.nn.Module, kept: _Kept, strategy: Strategy, devices: int) -> Iterator[None]:
    """Tell `kept` of what lies between a cut by outputs and one by inputs: each device has a part of it."""
    handles = []

    def turn(on: bool) -> Any:
        def turned(*told: Any) -> None:
            kept.cut = on

        return turned

    if strategy.alike(devices) > 1:
        for part, way in _cuts(module):
            handles.append(part.register_forward_hook(turn(way != "inputs")))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _gathered(module: torch.nn.Module, strategy: Strategy, devices: int) -> int:
    """Return the bytes of whole weights that a device has for a while, and of their gradients."""
    if devices == 1 or not strategy.sharded or strategy.alike(devices) > 1:
        return 0
    own = sum(_bytes(weight) for weight in module.parameters())
    sizes, seen = [], set[int]()
    # Inner ones come first: what they gather is not gathered again with what is around them.
    for unit in (*strategy.units(module), module):
        new = [weight for weight in unit.parameters() if id(weight) not in seen]
        seen.update(id(weight) for weight in new)
        sizes.append(sum(_bytes(weight) for weight in new))
    # The next one is on its way while one is at work; a gradient is whole until it is shared out.
    return own + max(sizes) if strategy.keeps else 2 * max(sizes)
