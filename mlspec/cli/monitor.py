"""`mlspec monitor`: has what a deployment sees changed?"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspec.cli._harmless import harmless
from mlspec.cli.arguments import DEFAULT_SPEC, add_spec, spec_of
from mlspec.errors import MissingError, UsageError

SUMMARY = "compare what a deployment saw with the training data"
TOLD = 1


@dataclass(frozen=True)
class _Watched:
    """Who watched what, and how a change is judged."""

    package: Path
    monitor: Any
    base: Path
    drift: dict[str, Any]
    methods: dict[str, dict[str, Any]]
    """How some columns are compared."""
    segments: tuple[str, ...] = ()
    """Columns by which rows should be watched apart."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments."""
    add_spec(parser)
    parser.epilog = (
        "SPEC may be a package's folder as well. Exits 1 where a column drifted or a window saw too few "
        "rows, 3 where no row was seen."
    )
    parser.add_argument("--deployment", metavar="NAME", help="which deployment of the spec")
    parser.add_argument("--monitor", metavar="NAME", help="which monitor of the deployment")
    parser.add_argument(
        "--folder", type=Path, help="where the profiles lie (default: where `mlspec serve` puts them)"
    )

    parser.add_argument(
        "--since", metavar="WHEN", help="only windows since then: 2h, or a time with its zone (default: all)"
    )
    parser.add_argument("--windows", action="store_true", help="tell each window of time for itself, too")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write it as one HTML page as well")


def monitor(arguments: argparse.Namespace) -> int:
    """Compare profiles with the reference; 1 where a column drifted, or a window saw too few rows."""
    from rich.text import Text

    from mlspec.cli._show_watched import show_watched
    from mlspec.cli.console import emit, stderr
    from mlspec.engine.files import read_json
    from mlspec.engine.watching.moment import moment
    from mlspec.engine.watching.profiles_folder import profiles_folder
    from mlspec.engine.watching.segments import read_segments
    from mlspec.engine.watching.with_methods import with_methods

    since = moment(arguments.since, time.time()) if arguments.since is not None else None
    found = _watched(arguments)
    folder = profiles_folder(found.base, found.package)
    files = {"inputs": found.package / "reference.json", "answers": found.package / "answers.json"}
    reference = {part: read_json(file) for part, file in files.items() if file.is_file()}
    if not reference:
        raise MissingError(
            f"'{found.package}' has no reference to compare with", fix="pack it again: mlspec run"
        )
    segments = read_segments(found.package)
    if found.segments and not segments:
        raise MissingError(
            f"'{found.package}' has no references of segments", fix="pack it again: mlspec run"
        )
    if segments:
        reference["segments"] = segments
    reference = with_methods(reference, found.methods)
    try:
        by_window = arguments.windows or arguments.page is not None
        report = found.monitor.compare(folder, reference, found.drift, since, by_window)
    except ModuleNotFoundError as error:
        raise MissingError(f"monitoring needs '{error.name}'", fix="pip install 'mlspec[serve]'") from error
    if arguments.page is not None:
        _write(arguments.page, found.package, report)
    if arguments.json:
        emit(report | {"folder": str(folder)})
    else:
        show_watched(report, windows=arguments.windows)
        if arguments.page is not None:
            stderr().print(Text(harmless(f"wrote {arguments.page}"), "dim"))
    return TOLD if report["drift"] or report.get("quiet") else 0


def _watched(arguments: argparse.Namespace) -> _Watched:
    first = Path(arguments.words[0]) if arguments.words else Path(DEFAULT_SPEC)
    if (first / "deployment.json").is_file():
        return _of_package(arguments, first)
    from mlspec.run.packed import packed

    path, overrides, overlays = spec_of(arguments)
    found = packed(path, overrides, overlays, deployment=arguments.deployment, stale=True)
    names = sorted(n for n, one in found.spec.monitoring.monitors.items() if one.of == found.deployment)
    name = arguments.monitor or (names[0] if len(names) == 1 else None)
    if not names:
        fix = f"add `monitoring: {{monitors: {{live: {{kind: whylogs, of: {found.deployment}}}}}}}`"
        raise UsageError(
            f"nothing watches the deployment '{found.deployment}'", where="monitoring.monitors", fix=fix
        )
    if name not in names:
        what = "several monitors watch" if name is None else f"no monitor called '{name}' watches"
        raise UsageError(f"{what} the deployment '{found.deployment}'", fix=f"--monitor {' or '.join(names)}")
    drift = found.spec.monitoring.drift
    return _Watched(
        package=found.folder,
        monitor=found.spec.monitoring.monitors[name],
        base=arguments.folder or found.artifacts / "logs" / "monitor" / found.deployment / name,
        drift={"false_alarms": drift.false_alarms, "smallest_effect": drift.smallest_effect},
        methods={
            column: {"method": method} if isinstance(method, str) else method.model_dump(mode="json")
            for column, method in drift.methods.items()
        },
        segments=found.spec.monitoring.segments,
    )


def _of_package(arguments: argparse.Namespace, package: Path) -> _Watched:
    from mlspec.engine.files import read_json
    from mlspec.sdk.slot import Slot

    if arguments.words[1:]:
        raise UsageError(f"'{arguments.words[1]}' changes a spec, and '{package}' is a package")
    if arguments.folder is None:
        raise UsageError(
            f"a package does not know where its profiles lie: '{package}'", fix="--folder FOLDER"
        )
    of = read_json(package / "deployment.json")["deployment"]
    return _Watched(package, Slot("monitor").choose({"kind": "whylogs", "of": of}), arguments.folder, {}, {})


def _write(page: Path, package: Path, report: dict[str, Any]) -> None:
    from mlspec.engine.files import read_json, write_bytes
    from mlspec.telling.watched import watched

    settings = read_json(package / "deployment.json")
    name = f"{read_json(package / 'contract.json')['name']}, {settings['deployment']}"
    try:
        write_bytes(page, watched(name, report))
    except OSError as fault:
        raise UsageError(
            f"the page cannot be written to '{page}': {fault.strerror}", fix="name another file with --page"
        ) from fault
