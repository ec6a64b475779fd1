"""A file from elsewhere goes through ONNX's checker and ONNX Runtime in a process of its own first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from mlspec.engine.graph.open_model import open_model
from mlspec.errors import UsageError

SECONDS = 60.0
"""How long the look at a file may take."""
_CHILD = Path(__file__).with_name("_vet_child.py")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_FIX = "take a file that mlspec exported"


def vet(model: Path, seconds: float = SECONDS) -> None:
    """Look at a model file that this workspace did not write, before anything here makes a session of it.

    Args:
        model: The file.
        seconds: How long that may take.

    Raises:
        MissingError: there is no such file.
        UsageError: it is no harmless ONNX model, or the libraries refuse it, crash or do not end.
    """
    content = open_model(model).SerializeToString()
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_CHILD)],
            input=content,
            capture_output=True,
            check=False,
            timeout=seconds,
            env=os.environ | _ONE_THREAD,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"a look at '{model}' does not end within {seconds:g} s", fix=_FIX) from error
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise UsageError(f"'{model}' makes the ONNX libraries break down ({name})", fix=_FIX)
    if done.returncode:
        reason = done.stdout.decode(errors="replace").strip() or "they do not say why"
        raise UsageError(f"the ONNX libraries refuse '{model}': {reason}", fix=_FIX)
