"""What a training of either family gives to be written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlspec.engine.on_disk import parts, roomy
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

    def threshold(self, data: Prepared, wanted: float | Literal["max_f1"], folder: Path) -> float | None:
        """Return the probability from which an answer is positive; None where there are not two classes.

        Args:
            data: Its val split is what `max_f1` looks at.
            wanted: The probability, or how to choose it.
            folder: Scratch.
        """
        if data.target.kind != "binary":
            return None
        if wanted != "max_f1":
            return wanted
        assert data.val is not None
        return max_f1(self.judged(data, folder)[:, 0], data.val.target, data.val.weight)

    def judged(self, data: Prepared, folder: Path) -> NDArray[np.float32]:
        """Return the raw scores of the val split, `[rows, width] float32`: many of them lie on disk.

        Args:
            data: With rows in val.
            folder: Where they lie; it is scratch.
        """
        assert data.val is not None
        found: NDArray[np.float32] = roomy(folder, (data.val.rows, data.target.width), np.float32)
        for here in parts(data.val.rows):
            found[here] = self.scores(data.val.part(here))
        return found

    def table(self) -> str:
        """Return the history as CSV."""
        text = io.StringIO()
        names = list(dict.fromkeys(name for line in self.history for name in line)) or ["epoch"]
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.history)
        return text.getvalue()
