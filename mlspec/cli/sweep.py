"""`mlspec sweep`: tries many trainings, and ranks them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import add_sample, add_spec, add_wait, spec_of, words_of

if TYPE_CHECKING:
    from mlspec.compose.document import KeyPath
    from mlspec.run.planned import Planned
    from mlspec.run.sweep import Swept
    from mlspec.run.tried import Tried

SUMMARY = "search the values that `sweep:` names, and rank the trainings on the val split"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    add_sample(parser)
    parser.add_argument("--apply", action="store_true", help="write the winner's values into the spec")
    add_wait(parser)


def sweep(arguments: argparse.Namespace) -> int:
    """Train what is not trained yet, tell the trials, and write their page.

    Raises:
        MissingError: Optuna or something else is missing here, or another run works in this workspace.
        SpecError: the spec says nothing of a sweep, or is wrong.
        StepError: no trial was trained to its end.
    """
    from mlspec.cli._trials import SweepProgress, show_trials
    from mlspec.engine.files import write_bytes
    from mlspec.errors import StepError, UsageError
    from mlspec.run.planned import planned
    from mlspec.run.sweep import sweep as search
    from mlspec.sdk.terminable import terminable
    from mlspec.telling.swept import swept_page

    path, overrides, overlays = spec_of(arguments)
    words = words_of(path, overrides, overlays)
    found = planned(path, overrides, overlays, sample=arguments.sample)
    if found.spec.sweep is None:
        fix = (
            "add sweep: {metric: ..., parameters: {training.optimizer.lr: {low: 1e-4, high: 0.1, log: true}}}"
        )
        raise UsageError(f"'{path}' says nothing of a sweep", fix=fix)
    if arguments.apply:
        _refuse_above(found)
    with terminable(), SweepProgress() as progress:
        try:
            swept = search(found, progress, wait=arguments.wait)
        except KeyboardInterrupt:
            progress.said(f"stopped: `mlspec sweep{words}` goes on from here")
            raise
    page = swept.folder / "report.html"
    write_bytes(page, swept_page(swept))
    best = swept.best
    if best is None:
        first = next((one.reason for one in swept.tried if one.reason), "all were stopped")
        fix = f"see {_near(page)}, and mend what they say; a changed sweep starts anew"
        raise StepError(f"no trial of {len(swept.tried)} came to its end: {first}", where="sweep", fix=fix)
    changed = _apply(found, swept) if arguments.apply else ()
    if arguments.json:
        from mlspec.cli.console import emit

        emit(_plain(swept, page, changed))
        return 0
    show_trials(swept)
    _tell(swept, best, page)
    if arguments.apply:
        _tell_applied(changed, path, words)
    else:
        sys.stderr.write(harmless(f"next: mlspec sweep{words} --apply, which writes them into {path}\n"))
    return 0


def _tell(swept: Swept, best: Tried, page: Path) -> None:
    from mlspec.cli.console import stdout
    from mlspec.telling.figure import figure
    from mlspec.telling.swept import shown

    console = stdout()
    if not swept.began:
        console.print(f"nothing to do: all {swept.wanted} trials are done")
    console.print(
        f"best: trial {best.number}, {swept.metric} {figure(best.value)} on the val split", style="bold"
    )
    for name, value in best.values.items():
        console.print(f"  {name}: {shown(value)}")
    console.print(f"page: {_near(page)}")


def _tell_applied(changed: tuple[str, ...], path: Path, words: str) -> None:
    if changed:
        sys.stdout.write(harmless(f"wrote {', '.join(changed)} into {path}\n"))
        sys.stderr.write(harmless(f"next: mlspec run{words}\n"))
    else:
        sys.stdout.write(harmless(f"{path} says so already\n"))


def _plain(swept: Swept, page: Path, changed: tuple[str, ...]) -> dict[str, object]:
    return {
        "name": swept.name,
        "study": swept.key,
        "metric": swept.metric,
        "better": swept.better,
        "best": swept.best.plain() if swept.best else None,
        "trials": [one.plain() for one in swept.tried],
        "trained": swept.began,
        "page": str(page),
        "applied": list(changed),
    }


def _refuse_above(found: Planned) -> None:
    """Refuse to write values that another file or the command line covers."""
    from mlspec.errors import UsageError
    from mlspec.spec.space import path_of

    assert found.spec.sweep is not None
    layers = found.composed.layers
    own = next(place for place, layer in enumerate(layers) if layer.document is found.composed.spec)
    for name in found.spec.sweep.parameters:
        path = path_of(name)
        for layer in layers[own + 1 :]:
            said = layer.put or layer.removes or layer.package
            inner = path[len(layer.package) :] if layer.put is None and layer.removes is None else path
            covers = path[: len(said)] == said and (
                layer.removes is not None or inner in layer.document.marks
            )
            if covers:
                what = f"'{layer.document.name}' sets '{name}', so what the spec says of it has no effect"
                raise UsageError(what, fix="leave it out together with --apply")


def _apply(found: Planned, swept: Swept) -> tuple[str, ...]:
    """Write the winner's values into the spec, and return which keys were changed."""
    from mlspec.compose.composed import at
    from mlspec.compose.edited import edited
    from mlspec.engine.files import write_bytes
    from mlspec.spec.levels import is_slot

    document, best = found.composed.spec, swept.best
    assert best is not None and document.file is not None
    values: dict[KeyPath, object] = {
        one.path: best.values[one.name]
        for one in swept.dimensions
        if at(document.tree, one.path) != best.values[one.name]
    }
    if values:
        text = edited(document, values, is_slot)
        mark = b"\xef\xbb\xbf" if document.file.read_bytes().startswith(b"\xef\xbb\xbf") else b""
        write_bytes(document.file, mark + text.encode("utf-8"))
    return tuple(".".join(map(str, path)) for path in values)


def _near(page: Path) -> Path:
    return page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page
