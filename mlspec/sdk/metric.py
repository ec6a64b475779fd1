"""A number that says how good answers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from mlspec.sdk.contract import TargetKind
from mlspec.sdk.plugin import Plugin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Answers:
    """Truth and answers of some rows."""

    kind: TargetKind
    truth: NDArray[np.float64]
    """`[rows]`: class codes, or values."""
    probabilities: NDArray[np.float64] | None
    """`[rows, classes]`; for a binary target two columns, the positive class last."""
    labels: NDArray[np.int64] | None
    """`[rows]` predicted class codes (threshold applied)."""
    values: NDArray[np.float64] | None
    """`[rows]` predicted values of a number target."""
    weight: NDArray[np.float64] | None = None
    """`[rows]`, or None."""

    def of(self, chosen: slice | NDArray[np.int64]) -> Answers:
        """Return truth and answers of some of the rows."""
        columns = (self.truth, self.probabilities, self.labels, self.values, self.weight)
        return Answers(self.kind, *(None if column is None else column[chosen] for column in columns))  # type: ignore[arg-type]


class Metric(Plugin):
    """One measure, with the direction in which it is better."""

    slot: ClassVar[str] = "metric"
    targets: ClassVar[tuple[TargetKind, ...]]
    better: ClassVar[Literal["higher", "lower"]]

    def value(self, answers: Answers) -> float:
        """Return the measure; NaN where these rows cannot tell (one class only)."""
        raise NotImplementedError
