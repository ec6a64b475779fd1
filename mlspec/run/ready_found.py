"""The committed file with what a training's spec leaves open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlspec.engine.files import write_bytes
from mlspec.errors import MissingError
from mlspec.plan.plan import Step
from mlspec.steps._found import key, read

HEAD = (
    "# What mlspec found where the spec says `auto`. Commit it: runs elsewhere take these values.\n"
    "# They are found anew when the model, the rows or what decides over them changes.\n"
)


def ready_found(step: Step, rows: Any, root: Path, *, locked: bool, say: Callable[[str], None]) -> None:
    """See to it that the file tells what the training leaves open.

    Args:
        step: The training.
        rows: What dvc.lock says of the prepared rows.
        root: The workspace.
        locked: Nothing may be found.
        say: Told what was found.

    Raises:
        MissingError: something must be found, and nothing may be.
    """
    name, wanted = step.parameters["found"], key(step.parameters, rows)
    try:
        known = read(root / name)
        if known.get("of") == wanted:
            return
        why = "for other rows, or another model, training or hardware"
    except FileNotFoundError:
        known, why = {}, "not yet"
    except (OSError, ValueError):
        known, why = {}, "but cannot be read"
    if locked:
        raise MissingError(
            f"what training leaves to 'auto' was found {why} ('{name}'), and --locked lets nothing be found",
            where="training",
            fix="`mlspec run` without --locked, and commit the file",
        )
    from mlspec.steps._find import find

    values = find(step.parameters, root / step.inputs["prepare"], step.memory)
    lines = "".join(f"  {path}: {value}\n" for path, value in sorted(values.items()))
    text = f"{HEAD}of: {wanted}\ntraining:\n{lines}"
    if known.get("training") == values:
        say(f"{_told(values)}, as before")
    else:
        say(f"{_told(values)}; written to {name}")
    write_bytes(root / name, text.encode())


def _told(values: dict[str, Any]) -> str:
    return "found " + ", ".join(f"training.{path}: {value}" for path, value in sorted(values.items()))
