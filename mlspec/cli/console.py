"""What a user sees: results on stdout, everything else on stderr."""

from __future__ import annotations

import functools
import json as _json
import sys
from typing import TYPE_CHECKING, Any

from mlspec.cli._harmless import harmless
from mlspec.compose.escaped import escaped
from mlspec.errors import Fault, MlspecError, Place, SpecError

if TYPE_CHECKING:
    from rich.console import Console


@functools.cache
def stdout() -> Console:
    """Return the console for results: no markup, no guessed colours, and no text that steers the terminal."""
    return _console()(markup=False, highlight=False, soft_wrap=True)


@functools.cache
def stderr() -> Console:
    """Return the console for everything but results."""
    return _console()(stderr=True, markup=False, highlight=False, soft_wrap=True)


@functools.cache
def _console() -> type[Console]:
    from rich.console import Console
    from rich.text import Text

    class Harmless(Console):
        """Writes every text, those in the cells of tables too, without what would steer the terminal."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(harmless(text), **options)

    return Harmless


def emit(value: Any) -> None:
    """Print a value as one JSON text on stdout; what would steer a terminal is written as JSON's escapes."""
    sys.stdout.write(escaped(_json.dumps(value, indent=2, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def tell(error: MlspecError, json: bool = False) -> None:
    """Tell an error with its place and its mend: for people on stderr, or as JSON on stdout."""
    if json:
        emit(_as_json(error))
        return
    faults = (
        error.faults if isinstance(error, SpecError) else (Fault("", error.what, error.where, error.fix),)
    )
    console = stderr()
    for fault in faults:
        place = f"{fault.where}: " if fault.where is not None else ""
        console.print(place, style="bold", end="")
        console.print("error: ", style="bold red", end="")
        console.print(fault.what)
        if fault.excerpt:
            console.print("\n".join(f"    {line}" for line in fault.excerpt.splitlines()), style="dim")
        if fault.others:
            console.print(f"    also {', '.join(map(str, fault.others))}", style="dim")
        if fault.fix:
            console.print("  fix: ", style="green", end="")
            console.print(fault.fix)
    if len(faults) > 1:
        console.print(f"{len(faults)} faults", style="bold")


def _as_json(error: MlspecError) -> dict[str, Any]:
    value: dict[str, Any] = {
        "error": type(error).__name__,
        "exit_code": error.exit_code,
        "what": error.what,
        "where": _place(error.where),
        "fix": error.fix,
    }
    if isinstance(error, SpecError):
        value["faults"] = [
            {
                "code": fault.code,
                "what": fault.what,
                "where": _place(fault.where),
                "fix": fault.fix,
                "excerpt": fault.excerpt,
                "others": [_place(place) for place in fault.others],
            }
            for fault in error.faults
        ]
    return value


def _place(where: Place | str | None) -> Any:
    if isinstance(where, Place):
        return {"document": where.document, "line": where.line, "column": where.column}
    return where
