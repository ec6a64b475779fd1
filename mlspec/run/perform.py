"""One step's work: in a folder of its own, moved into place whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from mlspec.engine.spill import SPILLS, spill
from mlspec.engine.training.resumable import resumable
from mlspec.errors import CheckFailed, MissingError, MlspecError, StepError
from mlspec.plan.plan import Step
from mlspec.run.giving_back import giving_back
from mlspec.run.locked import locked_inputs
from mlspec.run.seal import seal
from mlspec.run.watch import Watch
from mlspec.sdk.context import Context
from mlspec.sdk.heeded import heeded

EXTRAS = {
    "torch": "train", "pytorch_lightning": "train", "onnx": "train", "onnxruntime": "train",
    "sklearn": "train", "safetensors": "train", "tensorboard": "train", "onnxscript": "train",
    "bentoml": "serve", "starlette": "serve", "uvicorn": "serve", "whylogs": "serve",
}  # fmt: skip
DIGITS = 16
"""Of a hash in the name of a scratch folder."""


def perform(
    step: Step,
    workspace: Path,
    fingerprints: Mapping[str, str],
    watch: Watch,
    whole: Callable[[], bool] = lambda: False,
) -> None:
    """Do a step's work and move its folder into place.

    Args:
        step: What to do.
        workspace: The folder with `.dvc`.
        fingerprints: The hash of each dependency, as dvc.lock has it; with the parameters they key the step's
            scratch folder, and seal what it wrote.
        watch: Told of progress.
        whole: Tells whether the step's folder is what dvc.lock has, so that parts of it may be reused.

    Raises:
        CheckFailed: the step's check said no; its report lies under `artifacts/<pipeline>/logs/<step>/`.
        MissingError: a package that the step needs is not installed.
        StepError: the work failed.
    """
    output = workspace / ".mlspec" / "tmp" / f"{step.name}-{os.getpid()}"
    shutil.rmtree(output, ignore_errors=True)
    scratch = workspace / ".mlspec" / "scratch" / _key(step, fingerprints)
    for line in _passed_over(scratch):
        watch.said(line)
    logs = workspace / "artifacts" / step.pipeline / "logs" / step.name
    context = Context(
        workspace=workspace,
        name=step.pipeline,
        step=step.name,
        scratch=scratch,
        parts=workspace / ".mlspec" / "parts",
        before=lambda: workspace / step.output if whole() else None,
        checkpoint_every=step.checkpoint_every,
        profile=step.profile,
        launcher=step.launcher,
        memory=step.memory,
        locks=locked_inputs(workspace, step),
        logs=logs,
        progress=watch.progressed,
        say=watch.said,
    )
    try:
        for folder in (output, scratch, logs):
            folder.mkdir(parents=True, exist_ok=True)
        with giving_back():
            _call(step, workspace, output, context)
        seal(step, fingerprints, output)
        _place(output, workspace / step.output)
    except CheckFailed as failed:
        _keep(output, logs)
        where = failed.where if failed.where is not None else step.name
        raise CheckFailed(failed.what, where=where, fix=_advice(failed.fix, logs, workspace)) from failed
    finally:
        # Who waits for the end of an interrupted process waits for no tidying of its memory; what spilled is
        # nobody's.
        for left in (output, *(spill(scratch, kind) for kind in SPILLS)):
            shutil.rmtree(left, ignore_errors=True)
        with contextlib.suppress(OSError):
            logs.rmdir()  # only where nothing was logged
    # Checkpoints have done their work.
    shutil.rmtree(scratch, ignore_errors=True)


def _call(step: Step, workspace: Path, output: Path, context: Context) -> None:
    inputs = {name: workspace / folder for name, folder in step.inputs.items()}
    try:
        work = getattr(import_module(f"mlspec.steps.{step.kind}"), step.kind)
        # Libraries print; stdout belongs to results.
        with contextlib.redirect_stdout(sys.stderr), heeded():
            work(step.parameters, inputs, output, context)
    except MlspecError:
        raise
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise StepError(f"the step '{step.name}' failed: {missing}", where=step.name) from missing
        fix = f"pip install 'mlspec[{EXTRAS[package]}]'"
        raise MissingError(
            f"the step '{step.name}' needs the package '{package}'", where=step.name, fix=fix
        ) from missing
    except Exception as fault:
        what = f"the step '{step.name}' failed: {type(fault).__name__}: {fault}"
        raise StepError(what, where=step.name, fix="`mlspec -v run` shows where") from fault


def _place(made: Path, target: Path) -> None:
    """Replace an artifact; the old one is gone for no longer than a rename takes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    old = made.with_name(f"old-{made.name}")
    if target.exists():
        target.replace(old)
    made.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def _keep(output: Path, logs: Path) -> None:
    """Keep what a failed check wrote where the user can read it: an artifact it must not become."""
    for file in sorted(output.rglob("*")):
        if file.is_file():
            kept = logs / file.relative_to(output)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, kept)


def _advice(fix: str | None, logs: Path, workspace: Path) -> str:
    files = sorted(file.name for file in logs.iterdir() if file.suffix == ".json")
    named = logs.relative_to(workspace).as_posix() + (f"/{files[0]}" if len(files) == 1 else "/")
    told = f"the report lies in {named}"
    return f"{fix}; {told}" if fix else told


def _passed_over(scratch: Path) -> tuple[str, ...]:
    """Tell of checkpoints of the same step that are not of this work, where there is none that is."""
    if scratch.is_dir() and any(scratch.iterdir()):
        return ()
    name = re.compile(re.escape(scratch.name[:-DIGITS]) + rf"[0-9a-f]{{{DIGITS}}}")
    others = scratch.parent.iterdir() if scratch.parent.is_dir() else ()
    return tuple(
        f"the checkpoint in .mlspec/scratch/{other.name} is of other parameters or other data: "
        "it is not used (`mlspec clean` removes it)"
        for other in sorted(others)
        if name.fullmatch(other.name) and any(other.iterdir())
    )


def _key(step: Step, fingerprints: Mapping[str, str]) -> str:
    kept = resumable(step.parameters)
    text = json.dumps([step.pipeline, step.name, kept, dict(fingerprints)], sort_keys=True)
    return f"{step.pipeline}.{step.name}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"
