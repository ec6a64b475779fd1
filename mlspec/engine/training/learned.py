"""What a training of either family gives to be written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.training.prepared import Prepared
from mlspec.engine.training.threshold import max_f1
from mlspec.sdk.encoded import Encoded


@dataclass(frozen=True)
class Learned:
    """A trained model, before it is written."""

    family: Literal["torch", "fitted"]
    file: tuple[str, bytes]
    """Name and content of what holds its weights."""
    scores: Callable[[Encoded], NDArray[np.float32]]
    """The training framework's own raw scores, `[rows, width] float32`."""
    history: tuple[Mapping[str, float], ...]
    """One line an epoch, or a round."""
    best_epoch: int | None
    """1-based; None where a library keeps that to itself."""

    def threshold(self, data: Prepared, wanted: float | Literal["max_f1"]) -> float | None:
        """Return the probability from which an answer is positive; None where there are not two classes."""
        if data.target.kind != "binary":
            return None
        if wanted != "max_f1":
            return wanted
        assert data.val is not None
        return max_f1(self.scores(data.val)[:, 0], data.val.target, data.val.weight)

    def table(self) -> str:
        """Return the history as CSV."""
        text = io.StringIO()
        names = list(dict.fromkeys(name for line in self.history for name in line)) or ["epoch"]
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.history)
        return text.getvalue()
