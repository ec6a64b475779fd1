"""Rows whose answers training knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlspec.sdk.encoded import Encoded


@dataclass(frozen=True)
class Replay:
    """Raw rows, and what training made of them."""

    rows: pa.RecordBatch
    """Input columns only, as the door takes them."""
    encoded: Encoded
    """The same rows as training saw them."""
    scores: NDArray[np.float32]
    """`[rows, width]` what the training framework answers, before the tail."""
    hostile: NDArray[np.bool_]
    """`[rows]` which of them are made up to break things."""
