"""How far a training has come."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Course:
    """How far a training has come: what changes while it runs, besides the weights."""

    epoch: int = 0
    """Epochs that are done."""
    chunk: int = 0
    """Chunks of the present epoch that are done."""
    step: int = 0
    """Optimiser steps that are done."""
    loss: float = 0.0
    """Sum of the loss over the rows of the present epoch."""
    rows: int = 0
    """Rows of the present epoch that are done."""
    skipped: int = 0
    """Steps of the present epoch that were left out, because a gradient overflowed fp16."""
    stopped: bool = False
    """Whether early stopping has ended the training."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One line an epoch."""
