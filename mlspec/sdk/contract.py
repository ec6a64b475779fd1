"""The contract of an exported model: what every caller in any language must send, and what comes back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlspec.sdk.frozen import Frozen

NULL = "\ufdd0"
"""What stands for null in a string tensor: a Unicode noncharacter, so that an empty string stays a value."""

Tensor = Literal["float64", "string"]
JsonType = Literal["number", "integer", "string", "boolean", "datetime"]
TargetKind = Literal["binary", "category", "number"]


class InputColumn(Frozen):
    """One raw column that the file takes as a rank-1 tensor of the column's name."""

    name: str
    kind: str
    """The feature kind: number, category, binary, datetime."""
    tensor: Tensor
    type: JsonType
    """What a JSON row holds for it (null is always legal)."""
    timezone: str | None = None
    """The zone of naive times; without it a naive time is refused."""


class OutputTensor(Frozen):
    """One named answer of the file."""

    name: Literal["label", "probabilities", "value"]
    tensor: Literal["string", "float32", "float64"]
    shape: tuple[str | int, ...]


class FittedTarget(Frozen):
    """What `prepare` learned of the target from the training split."""

    column: str
    kind: TargetKind
    classes: tuple[str, ...] = ()
    """Class labels in the order of the codes; for a binary target the positive one is the last."""
    counts: tuple[int, ...] = ()
    """Training rows of each class."""
    mean: float = 0.0
    std: float = 1.0
    """Of a number target over the training split; models learn `(y - mean) / std`."""

    @property
    def width(self) -> int:
        """Scores that a model gives for a row: 1 logit, one logit a class, or 1 standardised value."""
        return len(self.classes) if self.kind == "category" else 1


class ModelInputs(Frozen):
    """The shape of encoded rows."""

    numbers: int
    """Columns of `mlspec/numbers`, `[rows, numbers] float32`."""
    sizes: tuple[int, ...] = ()
    """Codes each column of `mlspec/codes` may hold (`0 <= code < size`), `[rows, len(sizes)] int64`."""
    number_names: tuple[str, ...] = ()
    code_names: tuple[str, ...] = ()


class Contract(Frozen):
    """`contract.json`: stands beside the exported file and inside its metadata."""

    version: Literal[1] = 1
    name: str
    target: FittedTarget
    threshold: float | None = None
    """Probability from which a binary answer is the positive class."""
    inputs: tuple[InputColumn, ...]
    outputs: tuple[OutputTensor, ...]
    model_version: str = Field(default="")
    """Digest of what the model was made of; the same for the same inputs."""
