"""`training.profile`: a trace of some steps, and a table of where the time of the whole training went."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as lightning
import torch

from mlspec.engine.files import write_json
from mlspec.engine.training.clock import Clock

if TYPE_CHECKING:
    from mlspec.engine.training.chunks import Chunk
    from mlspec.engine.training.learner import Learner

TRACE, TABLE = "trace.json.gz", "profile.json"
"""In the logs of the step: the one is opened by Perfetto and Chrome, the other is told in the report."""
CHUNKS = 3
"""Chunks of sixteen steps in the trace, after one that warms up."""
OPERATORS = 12
"""Operators that are told, those with the most time of their own first."""
START, READING, FORWARD, BACKWARD, OPTIMISER, VALIDATION, CHECKPOINTS, REST = (
    "starting",
    "reading rows",
    "forward and loss",
    "backward",
    "optimiser",
    "validation",
    "checkpoints",
    "the rest",
)


class Profile(lightning.Callback):
    """Looks on while a learner trains, and writes what it saw into the step's logs.

    Args:
        logs: The folder of the step's logs.
        shown: What that folder is called to the user.
        accelerator: `cuda` waits for the device at each turn, so that its work is counted where it belongs.
        chunks: Chunks that will be trained on.
    """

    def __init__(self, logs: Path, shown: str, accelerator: str, chunks: int) -> None:
        # Its library tells on stderr that it started and stopped.
        os.environ.setdefault("KINETO_LOG_LEVEL", "6")
        settle: Callable[[], None] = torch.cuda.synchronize if accelerator == "cuda" else lambda: None
        activities = [torch.profiler.ProfilerActivity.CPU]
        if accelerator == "cuda":
            activities.append(torch.profiler.ProfilerActivity.CUDA)
        self.clock = Clock(settle, torch.profiler.record_function)
        self._logs, self._shown = logs, shown
        with warnings.catch_warnings():
            # Of a short training nothing is left to warm up on.
            warnings.filterwarnings("ignore", message="Profiler won't be using warmup")
            schedule = torch.profiler.schedule(
                wait=0, warmup=int(chunks > CHUNKS), active=min(CHUNKS, max(1, chunks)), repeat=1
            )
        self._tracer = torch.profiler.profile(
            activities=activities, schedule=schedule, on_trace_ready=self._keep
        )
        self._operators: list[dict[str, Any]] = []

    @contextmanager
    def around(self) -> Iterator[None]:
        """Count from the start of the training to its end, and write what was seen, however it ends."""
        self.clock.turn(START)
        try:
            with self._tracer:
                yield
        finally:
            self.clock.stop()
            write_json(self._logs / TABLE, self.table())

    def table(self) -> dict[str, Any]:
        """Return parts with their seconds and share of all, longest first, and the costly operators."""
        whole = sum(self.clock.seconds.values())
        parts = sorted(self.clock.seconds.items(), key=lambda part: -part[1])
        return {
            "seconds": whole,
            "parts": [
                {
                    "part": part,
                    "seconds": seconds,
                    "share": seconds / (whole or 1.0),
                    "times": self.clock.times[part],
                }
                for part, seconds in parts
            ],
            "operators": self._operators,
        }

    def reading(self, chunks: Any) -> Any:
        """Return chunks whose reading is counted."""
        return _Counted(chunks, self.clock)

    def saving(self, save: Callable[[], None]) -> Callable[[], None]:
        """Return what saves, counted as checkpoints."""

        def counted() -> None:
            self.clock.turn(CHECKPOINTS)
            save()
            self.clock.turn(REST)

        return counted

    def lines(self) -> Iterator[str]:
        """Yield the table as text; nothing where nothing was trained."""
        table = self.table()
        if not table["parts"]:
            return
        yield f"{table['seconds']:.1f} s of training; a trace of some steps lies in {self._shown}/{TRACE}"
        for part in table["parts"]:
            yield f"  {part['share']:6.1%}  {part['seconds']:8.2f} s  {part['part']}"

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Look at scoring, at gradients and at the optimiser's steps."""
        learner: Learner = pl_module
        gradients, clock = learner.gradients, self.clock

        def score(*rows: torch.Tensor) -> torch.Tensor:
            clock.turn(FORWARD)
            return gradients.score(*rows)

        def backward(loss: torch.Tensor, last: bool) -> None:
            clock.turn(BACKWARD)
            gradients.backward(loss, last)
            clock.turn(REST)

        learner.gradients = dataclasses.replace(gradients, score=score, backward=backward)
        optimizer = trainer.optimizers[0]
        optimizer.register_step_pre_hook(lambda *_: clock.turn(OPTIMISER))
        optimizer.register_step_post_hook(lambda *_: clock.turn(REST))

    def on_train_batch_end(self, *_: Any) -> None:
        """Let the tracer count a chunk; what it writes is no part of the training."""
        self.clock.stop()
        self._tracer.step()
        self.clock.turn(REST)

    def on_validation_start(self, *_: Any) -> None:
        """Count what follows, scoring and judging, as validation."""
        self.clock.turn(VALIDATION)

    def _keep(self, tracer: torch.profiler.profile) -> None:
        """Write the trace, and remember which operators took the time."""
        self._logs.mkdir(parents=True, exist_ok=True)
        tracer.export_chrome_trace(str(self._logs / TRACE))
        found = tracer.key_averages()
        named = [one for one in found if not one.key.startswith("ProfilerStep") and not _ours(one.key)]
        named.sort(key=lambda one: -(one.self_cpu_time_total + one.self_device_time_total))
        self._operators = [
            {
                "operator": one.key,
                "calls": one.count,
                "cpu_ms": one.self_cpu_time_total / 1000,
                "device_ms": one.self_device_time_total / 1000,
            }
            for one in named[:OPERATORS]
        ]


class _Counted:
    """Chunks whose reading is counted, and nothing else of them."""

    def __init__(self, chunks: Any, clock: Clock) -> None:
        self._chunks, self._clock = chunks, clock

    def __iter__(self) -> Iterator[Chunk]:
        chunks = iter(self._chunks)
        while True:
            self._clock.turn(READING)
            try:
                chunk = next(chunks)
            except StopIteration:
                self._clock.turn(REST)
                return
            self._clock.turn(REST)
            yield chunk


def _ours(name: str) -> bool:
    return name in (START, READING, FORWARD, BACKWARD, OPTIMISER, VALIDATION, CHECKPOINTS, REST)
